export * from './built-in/index.ts'
