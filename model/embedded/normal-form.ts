/**
 * An expression with parentheses wherever TLA+ reads structure from columns or from the precedence of /\, \/, => and <=>. The embedded checker
 * reads `a => b /\ c` as `(a => b) /\ c`, `a \/ b => c` as `a \/ (b => c)`, and lists within parentheses without their columns; what it is given
 * therefore says all of it in parentheses. The rules are those of "Specifying Systems", 15.2 (precedence and junction lists).
 */
import { unsupported } from './refusal.js';
import type { Token } from './tokens.js';

/** `plain`: may stand beside an operator as it is. `open`: extends as far as it can (a quantifier, IF, LET, CASE). */
interface Piece {
  readonly text: string;
  readonly kind: 'plain' | 'open';
}

const BOOLEAN = new Map([
  ['/\\', '/\\'],
  ['\\land', '/\\'],
  ['\\/', '\\/'],
  ['\\lor', '\\/'],
  ['=>', '=>'],
  ['<=>', '<=>'],
  ['\\equiv', '<=>'],
]);
const CLOSING = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
  ['<<', '>>'],
]);
/** What never follows a value; `(` and `[` may. */
const BEGINNINGS = new Set(['{', '<<', '~', '\\lnot', '\\neg', '\\A', '\\E']);
const STOPS = new Set([')', ']', '}', '>>', ',', ':', '|->', '->', 'THEN', 'ELSE', 'IN', '==', 'EXCEPT']);
const SEPARATORS = new Set([',', ':', '|->', '->', 'EXCEPT']);
const PREFIXES = new Set(['DOMAIN', 'SUBSET', 'UNION', 'UNCHANGED', 'ENABLED', 'LAMBDA']);
const COMPARISONS = new Set([
  '=',
  '#',
  '/=',
  '<',
  '>',
  '<=',
  '=<',
  '>=',
  '\\leq',
  '\\geq',
  '\\in',
  '\\notin',
  '\\subseteq',
]);

/**
 * Operators on values that the checker ranks as TLA+ does, or that TLA+ takes from left to right: each of these sets may be used together
 * without parentheses.
 */
const RANKED: readonly (readonly string[])[] = [
  ['+', '-', '*', '..'],
  ['+', '-', '\\div', '..'],
  ['+', '-', '^'],
  [':>', '@@'],
];
const VALUE_OPERATORS = new Set([
  ...RANKED.flat(),
  '%',
  '\\o',
  '\\circ',
  '\\cup',
  '\\union',
  '\\cap',
  '\\intersect',
  '\\',
  '\\X',
  '\\times',
]);
/** Not associative, or not as the checker has it: twice is refused. */
const ONCE = new Set(['\\X', '\\times', '..', '^', '%', '\\div', '\\', ':>']);

export interface Unit {
  readonly head: readonly Token[];
  readonly body: readonly Token[];
}

/** `cutLet`: definitions and declarations between LET and IN. `wrong` makes the error that is thrown at a token that cannot be there. */
export interface Surroundings {
  readonly cutLet: (inside: readonly Token[]) => readonly Unit[];
  readonly wrong: (message: string, at: Token | undefined) => Error;
}

/** One expression, complete, in one line. Throws what `wrong` makes, or a RefusedError. */
export function normalForm(body: readonly Token[], surroundings: Surroundings): string {
  return new Reader(body, surroundings).whole();
}

/** Signs with blanks between them where there were any. */
export function verbatim(list: readonly Token[]): string {
  return list.map((token, i) => (i > 0 && isApart(list, i) ? ' ' : '') + token.text).join('');
}

function isApart(list: readonly Token[], at: number): boolean {
  return (list[at]?.offset ?? 0) > (list[at - 1]?.end ?? 0);
}

class Reader {
  readonly #tokens: readonly Token[];
  readonly #surroundings: Surroundings;
  #at = 0;

  constructor(list: readonly Token[], surroundings: Surroundings) {
    this.#tokens = list;
    this.#surroundings = surroundings;
  }

  whole(): string {
    const { text } = this.#expression(0);
    if (this.#at < this.#tokens.length) throw this.#wrong();
    return text;
  }

  get #next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #wrong(): Error {
    const next = this.#next;
    return this.#surroundings.wrong(
      next ? `${next.text} is not expected here` : 'it ends too early',
      next ?? this.#tokens.at(-1),
    );
  }

  #take(text?: string): string {
    const token = this.#next;
    if (!token || (text !== undefined && token.text !== text)) throw this.#wrong();
    this.#at += 1;
    return token.text;
  }

  /** The item of a junction list whose bullet is in column `limit` ends at what is not to the right of it. */
  #ended(limit: number): boolean {
    return this.#next === undefined || this.#next.column <= limit;
  }

  #expression(limit: number): Piece {
    const operands = [this.#operand(limit)];
    const operators: string[] = [];
    while (!this.#ended(limit)) {
      const operator = BOOLEAN.get(this.#next?.text ?? '');
      if (operator === undefined) break;
      this.#take();
      operators.push(operator);
      operands.push(this.#operand(limit));
    }
    return this.#combine(operands, operators);
  }

  /** => binds least and takes two operands, <=> the same before it; /\ and \/ do not mix. */
  #combine(operands: readonly Piece[], operators: readonly string[]): Piece {
    const [first] = operands;
    if (operands.length === 1 && first) return first;
    for (const weak of ['=>', '<=>']) {
      const at = operators.indexOf(weak);
      if (at === -1) continue;
      if (operators.indexOf(weak, at + 1) !== -1)
        throw this.#surroundings.wrong(`${weak} twice without parentheses`, this.#tokens[this.#at - 1]);
      const left = this.#combine(operands.slice(0, at + 1), operators.slice(0, at));
      const right = this.#combine(operands.slice(at + 1), operators.slice(at + 1));
      return plain(`(${closed(left)} ${weak} ${closed(right)})`);
    }
    if (new Set(operators).size > 1)
      throw this.#surroundings.wrong('/\\ and \\/ without parentheses', this.#tokens[this.#at - 1]);
    return plain(`(${operands.map(closed).join(` ${operators[0]} `)})`);
  }

  /** What the bullets of this column begin. */
  #list(bullet: Token): Piece {
    const items: Piece[] = [];
    while (this.#next?.text === bullet.text && this.#next.column === bullet.column) {
      this.#take();
      items.push(this.#expression(bullet.column));
    }
    return this.#combine(
      items,
      items.slice(1).map(() => BOOLEAN.get(bullet.text) ?? bullet.text),
    );
  }

  /** Up to an operator of Boolean values, or to what ends the expression. */
  #operand(limit: number): Piece {
    let text = '';
    let open = false;
    /** Whether a value has just ended: what follows is infix then. */
    let complete = false;
    let used: string[] = [];
    const start = this.#at;
    const append = (part: string, from: number): void => {
      text += (text !== '' && isApart(this.#tokens, from) ? ' ' : '') + part;
    };
    while (!this.#ended(limit)) {
      const token = this.#next;
      if (!token) break;
      const { text: sign } = token;
      const from = this.#at;
      if (STOPS.has(sign) || (complete && (BOOLEAN.has(sign) || sign === '[]'))) break;
      // Of `]_vars` the last is no value.
      if (complete && (token.kind === 'other' ? BEGINNINGS.has(sign) : !sign.startsWith('_'))) throw this.#wrong();
      if (BOOLEAN.has(sign)) {
        append(closed(this.#list(token)), from);
        complete = true;
      } else if (sign === '~' || sign === '\\lnot' || sign === '\\neg') {
        // It binds less than every operator on values, so that it takes all that is left of the operand.
        this.#take();
        append(`~(${this.#operand(limit).text})`, from);
        complete = true;
      } else if (CLOSING.has(sign)) {
        append(this.#group(limit), from);
        complete = true;
      } else if (sign === '\\A' || sign === '\\E' || sign === 'CHOOSE') {
        append(this.#bound(limit), from);
        [open, complete] = [true, true];
      } else if (sign === 'IF' || sign === 'CASE' || sign === 'LET') {
        append(sign === 'IF' ? this.#if(limit) : sign === 'CASE' ? this.#case(limit) : this.#let(limit), from);
        [open, complete] = [true, true];
      } else {
        if (complete && COMPARISONS.has(sign)) used = [];
        if (complete && VALUE_OPERATORS.has(sign)) used = this.#rank([...used, sign]);
        append(this.#take(), from);
        complete = token.kind === 'other' ? sign === "'" || sign === '@' : !PREFIXES.has(sign);
      }
    }
    if (this.#at === start) throw this.#wrong();
    return { text, kind: open ? 'open' : 'plain' };
  }

  #rank(used: string[]): string[] {
    const distinct = new Set(used);
    const twice = used.some((sign, i) => ONCE.has(sign) && used.indexOf(sign) < i);
    // 1 :> 2 @@ 3 :> 4
    const functions = used.every((sign) => sign === ':>' || sign === '@@');
    if (
      (twice && !functions) ||
      (distinct.size > 1 && !RANKED.some((set) => [...distinct].every((sign) => set.includes(sign))))
    )
      throw unsupported(
        `${[...distinct].join(' and ')}${twice ? ' twice' : ''} without parentheses (line ${this.#next?.line})`,
      );
    return used;
  }

  /** What is in brackets, the brackets too. */
  #group(limit: number): string {
    const opening = this.#take();
    const closing = CLOSING.get(opening) ?? '';
    let text = opening;
    while (this.#next?.text !== closing) {
      const sign = this.#next?.text ?? '';
      if (SEPARATORS.has(sign)) text += sign === ',' || sign === ':' ? `${this.#take()} ` : ` ${this.#take()} `;
      else if (sign === '!') text += this.#path(limit);
      else text += this.#expression(limit).text;
    }
    return text + this.#take(closing);
  }

  /** Of EXCEPT: `!.a[i].b =`. */
  #path(limit: number): string {
    let text = '';
    while (this.#next?.text !== '=') text += CLOSING.has(this.#next?.text ?? '') ? this.#group(limit) : this.#take();
    return `${text} ${this.#take('=')} `;
  }

  /** `\E x \in S, y \in T : P` */
  #bound(limit: number): string {
    let text = this.#take();
    while (this.#next?.text !== ':') {
      const comma = this.#next?.text === ',';
      text += comma ? this.#take() : ` ${this.#domain(limit)}`;
    }
    return `${text} ${this.#take(':')} (${this.#expression(limit).text})`;
  }

  /** One `x \in S`, or one `x` of several. */
  #domain(limit: number): string {
    const piece = this.#operand(limit);
    if (piece.kind === 'open') throw this.#wrong();
    return piece.text;
  }

  #if(limit: number): string {
    const condition = `${this.#take('IF')} (${this.#expression(limit).text})`;
    const yes = `${this.#take('THEN')} (${this.#expression(limit).text})`;
    return `${condition} ${yes} ${this.#take('ELSE')} (${this.#expression(limit).text})`;
  }

  #case(limit: number): string {
    let text = this.#take('CASE');
    for (;;) {
      text += this.#next?.text === 'OTHER' ? ` ${this.#take()}` : ` (${this.#expression(limit).text})`;
      text += ` ${this.#take('->')} (${this.#expression(limit).text})`;
      if (this.#ended(limit) || this.#next?.text !== '[]') return text;
      text += ` ${this.#take()}`;
    }
  }

  #let(limit: number): string {
    this.#take('LET');
    const from = this.#at;
    for (let depth = 1; depth > 0; ) {
      const sign = this.#take();
      if (sign === 'LET') depth += 1;
      if (sign === 'IN') depth -= 1;
    }
    const definitions = this.#surroundings.cutLet(this.#tokens.slice(from, this.#at - 1)).map(({ head, body }) => {
      const left = verbatim(head);
      return body.length === 0 ? left : `${left} == (${normalForm(body, this.#surroundings)})`;
    });
    return `LET ${definitions.join(' ')} IN (${this.#expression(limit).text})`;
  }
}

function plain(text: string): Piece {
  return { text, kind: 'plain' };
}

function closed({ text, kind }: Piece): string {
  return kind === 'open' ? `(${text})` : text;
}
