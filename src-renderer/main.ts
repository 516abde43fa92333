import './strict.ts';
import { mount } from 'svelte';
import './theme.css';
import App from './App.svelte';

const target = document.getElementById('window');
if (target === null) {
  throw new Error('index.html has no #window');
}
mount(App, { target });
