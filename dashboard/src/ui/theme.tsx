/** Light, dark, or as the system has it. */

import { signal } from "../lib/state.ts";

const KEY = "althing-theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" } as const;
type Theme = keyof typeof NEXT;

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto";
  }
}

/** The choice; charts draw anew when it changes. */
export const theme = signal<Theme>(stored());

function apply(value: Theme) {
  document.documentElement.dataset["theme"] = value;
}
apply(theme.peek());

function choose() {
  const value = NEXT[theme.peek()];
  apply(value);
  theme.value = value;
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // Kept for this page only.
  }
}

const ICONS: Record<Theme, string> = {
  auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  light: "M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7M10 1.500v2M10 16.500v2M1.500 10h2M16.500 10h2M4 4l1.400 1.400M14.600 14.600 16 16M4 16l1.400-1.400M14.600 5.400 16 4",
  dark: "M16.500 11.500A7 7 0 0 1 8.500 3.500a7 7 0 1 0 8 8",
};

export function ThemeButton() {
  const value = theme.value;
  const name = value === "auto" ? "as the system" : value;
  return (
    <button type="button" class="icon-button" onClick={choose} aria-label={`Colours: ${name}. Change`} title={`Colours: ${name}`}>
      <svg viewBox="0 0 20 20" aria-hidden="true"><path d={ICONS[value]} class={value === "auto" ? "half" : ""} /></svg>
    </button>
  );
}
