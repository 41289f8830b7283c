/** The page's only script: the filter. Without it everything is shown, and the form is not. */

/**
 * Whatever has `data-verdict` is filtered: by verdict, level and role (lists of words that `data-verdict`, `data-level` and `data-role` hold),
 * and by the words of its text. What stands below `data-empty` of a section is shown when nothing of it is left.
 */
export const SCRIPT = `
'use strict';
(() => {
  const form = document.querySelector('form.filter');
  const items = [...document.querySelectorAll('[data-verdict]')].map((element) => ({ element, text: element.textContent.toLowerCase() }));
  const counted = items.filter(({ element }) => element.matches('tr'));
  const has = (element, name, wanted) => wanted === '' || (element.dataset[name] ?? '').split(' ').includes(wanted);
  const apply = () => {
    const { verdict, level, role, text } = Object.fromEntries(new FormData(form));
    const words = text.toLowerCase().split(/\\s+/).filter((word) => word !== '');
    for (const item of items) {
      const { element } = item;
      const shown = has(element, 'verdict', verdict) && has(element, 'level', level) && has(element, 'role', role) && words.every((word) => item.text.includes(word));
      element.classList.toggle('hidden', !shown);
    }
    const left = counted.filter(({ element }) => !element.classList.contains('hidden')).length;
    form.querySelector('output').textContent = left + ' of ' + counted.length + ' rows';
  };
  form.addEventListener('input', apply);
  form.addEventListener('reset', () => setTimeout(apply));
  form.addEventListener('submit', (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
`;
