/** Search by anything: a height, a digest, a DID, a name. `/` reaches it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { find, type Found } from "../lib/find.ts";
import { go } from "../router.ts";

/** How long to wait for the next key, ms. */
const PAUSE_MS = 160;
/** Id of the list of what was found; there is one search on a page. */
const LIST = "found";

export function Search() {
  const [text, setText] = useState("");
  const [answer, setAnswer] = useState<{ to: string; hits: Found[] } | undefined>(undefined);
  const [at, setAt] = useState(0);
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLSelectElement;
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => {
    if (!text.trim()) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      find(text, abort.signal).then(
        (hits) => {
          if (abort.signal.aborted) return;
          setAnswer({ to: text, hits });
          setAt(0);
        },
        () => !abort.signal.aborted && setAnswer({ to: text, hits: [] }),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  // An answer to what was typed before leads nowhere.
  const found = text.trim() !== "" && answer?.to === text ? answer.hits : undefined;
  const choose = (hit: Found | undefined) => {
    if (!hit) return;
    setOpen(false);
    setText("");
    input.current?.blur();
    go(hit.link);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const hits = found ?? [];
    if (event.key === "ArrowDown" && hits.length > 0) setAt((at + 1) % hits.length);
    else if (event.key === "ArrowUp" && hits.length > 0) setAt((at + hits.length - 1) % hits.length);
    else if (event.key === "Enter") choose(hits[at]);
    else if (event.key === "Escape") input.current?.blur();
    else return;
    event.preventDefault();
  };
  const shown = open && found !== undefined;
  return (
    <div class="search" role="search">
      <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M9 3.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11M13 13l4 4" /></svg>
      <input
        ref={input}
        type="text"
        inputMode="search"
        placeholder="Search"
        aria-label="Search by height, digest, DID or name"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={shown}
        aria-controls={LIST}
        aria-activedescendant={shown && found.length > 0 ? `${LIST}-${at}` : undefined}
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <kbd aria-hidden="true">/</kbd>
      <ul id={LIST} role="listbox" aria-label="Found" hidden={!shown}>
        {found?.length === 0 && <li class="none" role="option" aria-selected="false">Nothing has this height, id or name.</li>}
        {found?.map((hit, index) => (
          // The press is taken before the field loses the focus and the list goes.
          <li
            key={hit.link}
            id={`${LIST}-${index}`}
            role="option"
            aria-selected={index === at}
            onMouseDown={(event) => {
              event.preventDefault();
              choose(hit);
            }}
          >
            <span class="muted">{hit.kind}</span> <bdi>{hit.name}</bdi>
          </li>
        ))}
      </ul>
    </div>
  );
}
