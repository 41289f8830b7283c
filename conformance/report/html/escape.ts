/** Text into HTML: elements, attributes, and what HTML cannot hold. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and for quoted attributes. Control characters, and what turns the reading direction (U+202E and its like), are shown as U+FFFD. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[^\P{Cc}\t\n]|[\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
    .replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);
}

/** ` name="value"` for each; those that are undefined or false are left out, true is the bare name. */
export function attributes(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => (value === true ? ` ${name}` : ` ${name}="${escapeHtml(String(value))}"`))
    .join('');
}

/** A link where there is somewhere to go, else the text alone. `inner` is HTML. */
export function linked(href: string | undefined, inner: string): string {
  return href === undefined ? inner : `<a${attributes({ href })}>${inner}</a>`;
}
