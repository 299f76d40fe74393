// Light and dark: as the system says, or as the visitor does.

import { $ } from './dom.js';
import { recall, remember } from './storage.js';

const theme = $('theme');

function apply() {
  if (theme.value === '') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
}

/** Applies what was chosen before, and listens to the choice. */
export function beginTheme() {
  const kept = recall('theme');
  if (kept === 'light' || kept === 'dark') theme.value = kept;
  apply();
  theme.addEventListener('change', () => {
    apply();
    remember('theme', theme.value);
  });
}
