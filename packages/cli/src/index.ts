export { EXIT } from './command/exit-code.ts'
export { main } from './command/main.ts'
