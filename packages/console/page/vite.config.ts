import { fileURLToPath } from 'node:url'
import { defineConfig, type UserConfig } from 'vite'

const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative, so that the page works below any path.
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: '@page', jsxDev: false },
  resolve: {
    alias: { '@page/jsx-runtime': fileURLToPath(new URL('./src/lib/jsx-runtime.ts', import.meta.url)) },
  },
  build: {
    outDir: fileURLToPath(new URL('../dist/page', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The content policy allows no data: address.
    assetsInlineLimit: 0,
  },
})

export default config
