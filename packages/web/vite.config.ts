/**
 * Builds the web UI into `dist`. Asset URLs are relative, so that the server can mount it below any
 * prefix by setting `<base href>`. For development, `TYTO_METRICS` and `TYTO_ALERTS` name servers
 * to which the API calls go.
 */

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const proxy = {
  '/api/v1': process.env.TYTO_METRICS ?? 'http://127.0.0.1:9090',
  '/api/v2': process.env.TYTO_ALERTS ?? 'http://127.0.0.1:9090',
};

/** `base` also serves the server; what the browser never calls of it (YAML, RE2) stays out. */
function hasSideEffects(id: string): boolean {
  return !/node_modules\/(?:yaml|re2js)\/|packages\/base\//.test(id);
}

export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    rolldownOptions: { treeshake: { moduleSideEffects: hasSideEffects } },
  },
  server: { proxy },
  preview: { proxy },
});
