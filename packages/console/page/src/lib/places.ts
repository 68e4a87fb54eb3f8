/** The screens that have a place in the navigation, and the key that follows `g`. */
export const PLACES = [
  { id: 'overview', title: 'Overview', key: 'o' },
  { id: 'live', title: 'Live', key: 'l' },
  { id: 'findings', title: 'Findings', key: 'f' },
  { id: 'bans', title: 'Bans', key: 'b' },
  { id: 'approvals', title: 'Approvals', key: 'a' },
  { id: 'undo', title: 'Undo', key: 'r' },
  { id: 'audit', title: 'Audit', key: 'u' },
  { id: 'map', title: 'API map', key: 'm' },
  { id: 'settings', title: 'Settings', key: 's' },
] as const
