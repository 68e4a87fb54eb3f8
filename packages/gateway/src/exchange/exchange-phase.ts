/**
 * Where an exchange stands. `open`: its answer is not complete. `answered`: nothing more of an answer will be
 * written. `tunnelled`: the connection has left HTTP. `closed`: the client's side is done. `settled`: so is
 * the engine.
 */
export type Phase = 'open' | 'answered' | 'tunnelled' | 'closed' | 'settled'
