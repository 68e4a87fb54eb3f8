import express from 'express'
import { postern } from 'postern'

const layer = await postern()
const app = express()
app.use(layer.express())
app.use(express.json())
app.get('/', (request, response) => {
  response.send(`Hello, ${request.query.name ?? 'world'}!\n`)
})
app.listen(3000, '127.0.0.1', () => console.log('http://127.0.0.1:3000'))
