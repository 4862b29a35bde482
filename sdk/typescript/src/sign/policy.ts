import type { Right } from '../forms/access.ts';
import { isName, type EntityKind } from '../forms/entity.ts';
import { toHex } from '../text/bytes.ts';
import { idBytes, type AnyId } from './actions.ts';

/** A usual policy, so that nobody needs to write Cedar; what it is about is the resource that it is set for. */
export type Template =
  | { kind: 'everyone'; rights: readonly Right[] }
  /** An organisation and all that it owns. */
  | { kind: 'organisation'; who: AnyId; rights: readonly Right[]; purpose?: string }
  /** One service, person, gateway or device. */
  | { kind: 'entity'; who: AnyId; rights: readonly Right[]; purpose?: string }
  /** All entities of a kind. */
  | { kind: 'kind'; of: EntityKind; rights: readonly Right[]; purpose?: string }
  /** Forbids an entity, or an organisation with all that it owns, everything; this wins over all that permits. */
  | { kind: 'deny'; who: AnyId };

/** The statement of a template in Cedar (docs/formats/policy.md). Throws `RangeError` if it names no right, or a purpose that is no name. */
export function policyStatement(template: Template): string {
  const entity = 'who' in template ? `Entity::"${toHex(idBytes(template.who))}"` : '';
  if (template.kind === 'deny') return `forbid (principal in ${entity}, action, resource);`;
  if (template.rights.length === 0) throw new RangeError('name at least one right, such as read');
  const actions = template.rights.map((right) => `Action::"${right}"`).join(', ');
  const principal = { everyone: 'principal', organisation: `principal in ${entity}`, entity: `principal == ${entity}`, kind: 'principal' }[template.kind];
  const conditions = [template.kind === 'kind' ? `principal.kind == "${template.of}"` : '', 'purpose' in template ? forPurpose(template.purpose) : ''].filter((one) => one !== '');
  const when = conditions.length === 0 ? '' : `\nwhen { ${conditions.join(' && ')} }`;
  return `permit (${principal}, action in [${actions}], resource)${when};`;
}

function forPurpose(purpose: string | undefined): string {
  if (purpose === undefined) return '';
  if (!isName(purpose)) throw new RangeError('a purpose has 1 to 64 bytes and no control characters');
  return `context.purpose == "${purpose.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
