/** Configurations are read and changed without touching what else they say. */
import t from 'tap';
import {
  constantSections,
  constantsIn,
  hasAlias,
  nextIn,
  propertiesIn,
  withBehaviour,
} from '../../../model/tlc/configuration.js';

const CFG = `\\* PROPERTY Commented
SPECIFICATION Spec
CONSTANTS
  Servers = {s1, s2}  (* INVARIANT Neither *)
  Max <- MaxOfModel
PROPERTIES P
  Q, R
INVARIANT TypeOK
PROPERTY S
`;

t.test('what is named', (t) => {
  t.same(propertiesIn(CFG), ['P', 'Q', 'R', 'S']);
  t.same(constantsIn(CFG), ['Servers', 'Max']);
  t.same(propertiesIn(''), []);
  t.end();
});

t.test('constants alone', (t) => {
  const constants = constantSections(`${CFG}CONSTANT Next <- NextOfModel\nVIEW V`);
  t.equal(constants, 'CONSTANTS\n  Servers = {s1, s2}   \n  Max <- MaxOfModel\nCONSTANT Next <- NextOfModel\n');
  t.equal(constantSections('INIT I'), '');
  t.end();
});

t.test('an alias', (t) => {
  t.notOk(hasAlias(CFG));
  t.ok(hasAlias(`ALIAS A\n${CFG}`));
  t.end();
});

t.test('other behaviours', (t) => {
  const changed = withBehaviour(CFG, 'Here', 'Next', ['s1']);
  t.notMatch(changed, /SPECIFICATION/);
  t.match(changed, /INIT Here\nNEXT Next\nCONSTANT s1 = s1/);
  t.end();
});

t.test('the next-state relation, through definitions', (t) => {
  const module = 'Spec == Init /\\ [][Next]_<<x, y>>\nFair == /\\ Spec\n        /\\ WF_x(Next)\nLoop == Loop\n====\n';
  t.equal(nextIn('SPECIFICATION Fair', [module]), 'Next');
  t.equal(nextIn('SPECIFICATION Loop', [module]), undefined);
  t.equal(nextIn('INIT I\nNEXT N', []), 'N');
  t.end();
});
