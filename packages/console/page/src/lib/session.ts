import { createContext, useContext } from 'react'
import type { Role, Session } from './types.ts'

export const SessionContext = createContext<Session | undefined>(undefined)

/** Who is signed in. @throws Error outside the signed-in page */
export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === undefined) throw new Error('useSession is for the signed-in page')
  return session
}

export function useMay(role: Role): boolean {
  return useSession().roles.includes(role)
}
