/** Breaks text into lines: behind a comma or semicolon where that fills half a line, else between words, else inside a word. */

/** `room`: the longest line, 1 or more. Empty text is one empty line. */
export function wrapped(text: string, room: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > room) {
    const space = rest.lastIndexOf(' ', room);
    const phrase = Math.max(rest.lastIndexOf(', ', room - 1), rest.lastIndexOf('; ', room - 1)) + 1;
    const end = phrase > room / 2 ? phrase : space > 0 ? space : room;
    lines.push(rest.slice(0, end));
    rest = rest.slice(rest[end] === ' ' ? end + 1 : end);
  }
  return [...lines, rest];
}
