import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

// The node serves what is built here with immutable names and a policy that allows nothing inline.
export default defineConfig(({ command }) => ({
  plugins: [svelte(), tailwindcss()],
  define: { 'import.meta.env.VITE_DESIGN': JSON.stringify(command === 'serve' || process.env.MITHAQ_DESIGN === '1') },
  build: {
    target: 'es2023',
    outDir: 'dist',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8470', '/session': 'http://127.0.0.1:8470', '/enter': 'http://127.0.0.1:8470', '/live': 'http://127.0.0.1:8470', '/log': 'http://127.0.0.1:8470', '/object': 'http://127.0.0.1:8470' } },
}));
