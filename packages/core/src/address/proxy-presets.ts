const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1/128']
const PRIVATE: readonly string[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']

/**
 * As published on https://www.cloudflare.com/ips/ (the list of September 2023, in force since). Compared with
 * two copies that others keep: rezmoss/cloud-provider-ip-addresses, of 2026-02-11, and
 * MISP/misp-warninglists.
 */
const CLOUDFLARE: readonly string[] = [
  '173.245.48.0/20',
  '103.21.244.0/22',
  '103.22.200.0/22',
  '103.31.4.0/22',
  '141.101.64.0/18',
  '108.162.192.0/18',
  '190.93.240.0/20',
  '188.114.96.0/20',
  '197.234.240.0/22',
  '198.41.128.0/17',
  '162.158.0.0/15',
  '104.16.0.0/13',
  '104.24.0.0/14',
  '172.64.0.0/13',
  '131.0.72.0/22',
  '2400:cb00::/32',
  '2606:4700::/32',
  '2803:f800::/32',
  '2405:b500::/32',
  '2405:8100::/32',
  '2a06:98c0::/29',
  '2c0f:f248::/32',
]

/**
 * Names for the ranges people mean when they trust a proxy. Platforms whose proxies have no fixed public
 * addresses reach an application from the private network that they share with it: their names trust private
 * addresses, so nothing else on that network may be a client.
 */
export const NAMED_RANGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', LOOPBACK],
  ['linklocal', ['169.254.0.0/16', 'fe80::/10']],
  ['private', PRIVATE],
  ['cloudflare', CLOUDFLARE],
  // Load balancer nodes have addresses of the subnets they are placed in.
  ['aws-alb', PRIVATE],
  // fly-proxy connects over the private network of the machine (172.16.0.0/12, fdaa::/16).
  ['fly', PRIVATE],
  ['render', PRIVATE],
  ['heroku', PRIVATE],
  // The runtime hands requests over inside the function's own machine.
  ['vercel', [...LOOPBACK, ...PRIVATE]],
  // nginx on this machine, or in a container beside.
  ['nginx', [...LOOPBACK, ...PRIVATE]],
])
