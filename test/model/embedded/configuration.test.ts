/** A configuration is understood whole or refused. */
import t from 'tap';
import { namedIn, readConfiguration } from '../../../model/embedded/configuration.js';
import { RefusedError } from '../../../model/embedded/refusal.js';

function refusal(cfg: string): unknown {
  try {
    return readConfiguration(cfg, 'M');
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
}

t.test('all of it', (t) => {
  const configuration = readConfiguration(
    `\\* VIEW v
SPECIFICATION Spec
CONSTANTS
  Servers = {s1, s2}  Names = {"a b", "c"} (* INVARIANT Neither *)
  Max <- MaxOfModel
  Sets = {{1, -2}, {}}
CONSTANT On = TRUE
CHECK_DEADLOCK FALSE
INVARIANTS A
  B, C
PROPERTY P
PROPERTIES Q
CONSTRAINT Few`,
    'M',
  );
  t.same(configuration, {
    behaviour: { specification: 'Spec' },
    assignments: [
      { constant: 'Servers', value: '{s1, s2}' },
      { constant: 'Names', value: '{"a b", "c"}' },
      { constant: 'Max', override: 'MaxOfModel' },
      { constant: 'Sets', value: '{{1, -2}, {}}' },
      { constant: 'On', value: 'TRUE' },
    ],
    invariants: ['A', 'B', 'C'],
    properties: ['P', 'Q'],
    constraints: ['Few'],
    deadlock: false,
  });
  t.same(namedIn(configuration).sort(), ['A', 'B', 'C', 'Few', 'MaxOfModel', 'P', 'Q', 'Spec']);
  t.match(readConfiguration('INIT I\nNEXT N', 'M'), { behaviour: { init: 'I', next: 'N' }, deadlock: true });
  t.end();
});

t.test('what is refused', (t) => {
  for (const keyword of ['VIEW', 'SYMMETRY', 'ACTION_CONSTRAINT', 'POSTCONDITION', 'ALIAS', 'PERIODIC', 'TYPE'])
    t.match(refusal(`INIT I\nNEXT N\n${keyword} x`), { kind: 'unsupported', what: `${keyword} in a configuration` });
  t.match(refusal('INIT I\nNEXT N\nCONSTANT A <- [M]B'), { kind: 'unsupported', what: /replacement within a module/ });
  for (const cfg of [
    '',
    'INIT I',
    'SPECIFICATION S T',
    'SPECIFICATION S\nINIT I\nNEXT N',
    'Spec',
    'SPECIFICATION S\nCONSTANT A =',
    'SPECIFICATION S\nCONSTANT A 1',
    'SPECIFICATION S\nCONSTANT A = <<1>>',
    'SPECIFICATION S\nCONSTANT A = {1 2}',
    'SPECIFICATION S\nCONSTANT A = {1',
    'SPECIFICATION S\nCONSTANT A = 1 A = 2',
    'SPECIFICATION S\nINVARIANT 1',
    'SPECIFICATION S\nCHECK_DEADLOCK maybe',
  ])
    t.match(refusal(cfg), { kind: 'parse-error', module: 'M.cfg' }, cfg);
  t.end();
});
