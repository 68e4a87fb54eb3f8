// What a worker needs before anything else, without the gateway itself: it binds the port first.
export { HeldPort, holdPort, type PortOptions } from './connection/held-port.ts'
export { type WorkerDuties, type WorkerLink, workerLink } from './worker/worker-link.ts'
