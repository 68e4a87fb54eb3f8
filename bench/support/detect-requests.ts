/** Ordinary traffic, made up: what a benchmark of inspection reads. */
export interface BenchRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly body?: Uint8Array
}

const BROWSER: readonly string[] = [
  'Host',
  'shop.example',
  'User-Agent',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  'Accept',
  'application/json, text/plain, */*',
  'Accept-Language',
  'en-GB,en;q=0.9,de;q=0.8',
  'Accept-Encoding',
  'gzip, deflate, br',
  'Connection',
  'keep-alive',
]

const TWELVE: readonly string[] = [
  ...BROWSER,
  'Origin',
  'https://shop.example',
  'Referer',
  'https://shop.example/products?page=2&sort=price',
  'Cookie',
  'sid=kJ3hd83hdkjhd83jdh; theme=dark; lang=en',
  'sec-fetch-mode',
  'cors',
  'sec-ch-ua',
  '"Chromium";v="131", "Not_A Brand";v="24"',
  'Content-Type',
  'application/json',
]

const ORDER = {
  order: {
    id: 'ord_8f7d6a5b4c',
    customer: {
      name: "Anne O'Brien",
      email: 'anne.obrien@example.com',
      phone: '+353 1 234 5678',
      address: {
        street: '12 Harbour View & Quay',
        city: 'Dún Laoghaire',
        postcode: 'A96 X2Y3',
        country: 'IE',
      },
    },
    items: [
      { sku: 'CH-1001', name: 'Oak dining chair (set of 2)', quantity: 2, price: 129.5 },
      { sku: 'TB-2002', name: 'Extending table, 180-240 cm', quantity: 1, price: 549 },
      { sku: 'LM-3003', name: 'Pendant lamp "Luna" - brass', quantity: 3, price: 89.9 },
    ],
    delivery: {
      method: 'courier',
      date: '2026-11-28',
      note: "Please ring the bell; if nobody's home, leave it with the neighbours at no. 14 or behind the shed. Thanks!",
    },
    coupon: 'WINTER-26',
    metadata: {
      source: 'web',
      campaign: 'newsletter-nov',
      test: 'checkout_b',
      client: 'app/4.2.1',
      tags: ['gift', 'fragile', 'priority'],
    },
    comments: [
      {
        author: 'staff',
        text: 'Customer called and asked to change the delivery from Friday to Saturday, between 10 and 12.',
      },
      {
        author: 'staff',
        text: 'Confirmed by e-mail - ok to proceed. Invoice goes to the company, goods to the home address.',
      },
      {
        author: 'customer',
        text: 'Could you wrap the lamp as a present and add a card with "Happy birthday, Nora"?',
      },
    ],
  },
}

const SENTENCES = [
  'The chair is comfortable and the delivery was on time, or even a bit early.',
  "It's a pity that the lamp doesn't come with a longer cable; 2 m would be better.",
  'We compared three tables (oak, ash & beech) and liked this one best: solid, plain, not too heavy.',
  'Order no. 4711-B arrived with 2 of 3 parcels, the last came on Friday from another depot.',
]

/** 64 KB of form fields with prose in them. */
function form(): Buffer {
  const fields = new URLSearchParams()
  let size = 0
  for (let i = 0; size < 65_536; i++) {
    const text = SENTENCES.map((_, n) => SENTENCES[(i + n) % SENTENCES.length]).join(' ')
    fields.append(`review_${i}`, text)
    size += text.length * 1.15
  }
  return Buffer.from(fields.toString()).subarray(0, 65_536)
}

/** The three requests of the cost benchmark, by name. */
export const REQUESTS: Readonly<Record<'small-get' | 'json' | 'form-64k', BenchRequest>> = {
  'small-get': { method: 'GET', target: '/api/items?page=2&sort=price&q=oak', headers: BROWSER },
  json: { method: 'POST', target: '/api/orders', headers: TWELVE, body: Buffer.from(JSON.stringify(ORDER)) },
  'form-64k': {
    method: 'POST',
    target: '/reviews',
    headers: [...BROWSER, 'Content-Type', 'application/x-www-form-urlencoded'],
    body: form(),
  },
}
