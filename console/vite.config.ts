import react from '@vitejs/plugin-react';
import tailwindcss from '@tailwindcss/vite';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { compress } from './build/compress.ts';
import { messages } from './build/messages.ts';
import { placeNames } from './build/places.ts';

const server = process.env['PILOTWIRE_URL'] ?? 'http://127.0.0.1:8080';

const given = { target: server, changeOrigin: false };
const proxy = { '/api': given, '/health': given, '/metrics': given };

export default defineConfig({
  plugins: [messages(), placeNames(), react(), tailwindcss(), compress()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: '../src/pilotwire/web/static',
    emptyOutDir: true,
    manifest: true,
    target: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // What the map draws is large and asked for by the map alone; scripts/build_console.py holds the first load to its budget.
    chunkSizeWarningLimit: 4000,
  },
  worker: { format: 'es' },
  // The host stays that of the page: the server takes changes only from its own.
  server: { proxy },
  preview: { proxy },
});
