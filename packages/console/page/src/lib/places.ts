/** The screens that have a place in the navigation, in groups, with the key that follows `g`. */
export const PLACES = [
  { id: 'overview', title: 'Overview', key: 'o', group: 'Now' },
  { id: 'live', title: 'Live', key: 'l', group: 'Now' },
  { id: 'findings', title: 'Findings', key: 'f', group: 'Now' },
  { id: 'bans', title: 'Bans', key: 'b', group: 'Now' },
  { id: 'approvals', title: 'Approvals', key: 'a', group: 'Now' },
  { id: 'activity', title: 'Activity', key: 't', group: 'History' },
  { id: 'graph', title: 'Graph', key: 'w', group: 'History' },
  { id: 'audit', title: 'Audit', key: 'u', group: 'History' },
  { id: 'undo', title: 'Undo', key: 'r', group: 'History' },
  { id: 'map', title: 'API map', key: 'm', group: 'History' },
  { id: 'users', title: 'Users', key: 'p', group: 'Access' },
  { id: 'keys', title: 'API keys', key: 'k', group: 'Access' },
  { id: 'policies', title: 'Policies', key: 'y', group: 'Access' },
  { id: 'vault', title: 'Vault', key: 'v', group: 'Access' },
  { id: 'operators', title: 'Operators', key: 'i', group: 'Gateway' },
  { id: 'settings', title: 'Settings', key: 's', group: 'Gateway' },
  { id: 'system', title: 'System', key: 'h', group: 'Gateway' },
] as const

/** The places that a phone shows at once; the others are behind More. */
export const PHONE_PLACES: readonly string[] = ['overview', 'live', 'bans', 'approvals']
