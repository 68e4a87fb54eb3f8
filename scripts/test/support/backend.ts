import { once } from 'node:events'
import { createServer } from 'node:http'
import type { TestContext } from 'node:test'
import { Project } from './project.ts'

/**
 * A project for the blocks of a page, and the backend at port 3000 that the page takes to be there. Both end
 * with the test.
 * @param said what it answers, once it has read the whole request
 */
export async function besideBackend(t: TestContext, said: string = 'done\n'): Promise<Project> {
  const project = await Project.open()
  const backend = createServer((request, response) => {
    request.resume().on('end', () => response.end(said))
  }).listen(Number(project.port('3000')), '127.0.0.1')
  await once(backend, 'listening')
  t.after(async () => {
    await project.close()
    backend.close()
    backend.closeAllConnections()
  })
  return project
}
