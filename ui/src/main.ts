// The screens' beginning: the words of the page's language first, then everything else.
import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';
import { applyTheme } from './lib/theme.svelte';
import { loadWords } from './lib/words.svelte';

applyTheme();
await loadWords(document.documentElement.lang);
mount(App, { target: document.body });
