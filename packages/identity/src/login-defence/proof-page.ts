import type { RefusalContent } from '@postern/core'
import type { AltchaChallenge } from './altcha.ts'
import { plainPage } from './plain-page.ts'

/** Cookie in which the page leaves its solution for the next try. */
export const PROOF_COOKIE = 'postern-proof'

/**
 * Searches in batches: one promise for each hash would spend its time on promises. The page never holds the
 * password: when it is done, the browser goes back to the form, which still does.
 */
const SEARCH = `
const text=document.querySelector('[role=status]'),say=t=>{text.textContent=t};
const hex=b=>Array.from(new Uint8Array(b),x=>x.toString(16).padStart(2,'0')).join('');
const utf=new TextEncoder();
(async()=>{if(!globalThis.crypto||!crypto.subtle){say('This needs a secure (https) connection.');return}
for(let i=0;i<=c.maxnumber;i+=256){const n=Array.from({length:256},(_,k)=>i+k);
const all=await Promise.all(n.map(k=>crypto.subtle.digest('SHA-256',utf.encode(c.salt+k)).then(hex)));
const at=all.indexOf(c.challenge);if(at<0)continue;
const payload=btoa(JSON.stringify({algorithm:c.algorithm,challenge:c.challenge,number:i+at,salt:c.salt,signature:c.signature}));
document.cookie='${PROOF_COOKIE}='+payload.replace(/=+$/,'')+';path=/;max-age=240;samesite=strict'+(location.protocol==='https:'?';secure':'');
say('Done. Please sign in again.');history.back();return}
say('No solution was found. Please reload the page.')})()`

/** A page that does the work and goes back. */
export function proofPage(challenge: AltchaChallenge, nonce: string): RefusalContent {
  return plainPage(
    'One moment',
    `<p role="status">Your browser is doing a short computation, because of many failed sign-ins. This takes a few seconds.</p>
<noscript>This needs JavaScript. Please switch it on for this site, or try again later.</noscript>`,
    { nonce, text: `const c=${JSON.stringify(challenge)};${SEARCH}` },
  )
}
