// Search and copy buttons of the manual. The pages are complete without it.
import MiniSearch from './minisearch.js';
import { searchOptions } from './search-options.js';

const top = document.querySelector('script[data-top]')?.dataset.top ?? '';

/** Loaded at the first search. */
let index = null;
const loadIndex = () => {
  index ??= fetch(`${top}assets/search.json`)
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(`HTTP ${answer.status}`))))
    .then((text) => MiniSearch.loadJSON(text, searchOptions))
    .catch((error) => {
      // The next search tries again.
      index = null;
      throw error;
    });
  return index;
};

const search = document.querySelector('.search');
const input = search.querySelector('input');
const results = search.querySelector('.results');

const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });

const show = (children) => {
  results.replaceChildren(...children);
  results.hidden = children.length === 0;
};

const showFailure = (error) =>
  show([element('p', `The search could not be loaded: ${error.message}. Reload the page to try again.`)]);

const look = async () => {
  const words = input.value.trim();
  if (words === '') return show([]);
  try {
    const found = (await loadIndex()).search(words).slice(0, 12);
    if (input.value.trim() !== words) return;
    show(
      found.length === 0
        ? [element('p', 'Nothing found. Try fewer or other words.')]
        : found.map(({ title, page, url, start }) => {
            const link = element('a', title === page ? title : `${page}: ${title}`);
            link.href = `${top}${url}`;
            link.append(element('small', start));
            return link;
          }),
    );
  } catch (error) {
    showFailure(error);
  }
};

search.hidden = false;
input.addEventListener('focus', () => void loadIndex().catch(showFailure));
input.addEventListener('input', () => void look());
results.addEventListener('click', () => show([]));
document.addEventListener('keydown', (event) => {
  const links = [...results.querySelectorAll('a')];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === 'Escape') {
    input.value = '';
    show([]);
  } else if (event.key === '/' && !/^(?:INPUT|TEXTAREA)$/.test(document.activeElement?.tagName ?? '')) {
    event.preventDefault();
    input.focus();
  } else if (event.key === 'Enter' && document.activeElement === input) {
    links[0]?.click();
  } else if (step !== undefined && links.length > 0 && search.contains(document.activeElement)) {
    event.preventDefault();
    const at = links.indexOf(document.activeElement) + step;
    if (at < 0) input.focus();
    else links[Math.min(at, links.length - 1)].focus();
  }
});
document.addEventListener('click', (event) => {
  if (!search.contains(event.target)) results.hidden = true;
});

// Browsers allow the clipboard on pages over HTTPS and on those of this very machine.
if (navigator.clipboard !== undefined) {
  for (const block of document.querySelectorAll('.code')) {
    const button = element('button', 'Copy');
    button.className = 'copy';
    button.type = 'button';
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(block.querySelector('code').textContent);
        button.textContent = 'Copied';
      } catch {
        button.textContent = 'Select it by hand';
      }
      setTimeout(() => {
        button.textContent = 'Copy';
      }, 2000);
    });
    block.append(button);
  }
}
