import { escapeHtml, type RefusalContent, type RefusalLanguage } from '@postern/core'
import type { AltchaChallenge } from './altcha.ts'
import { loginPage } from './login-page.ts'
import { LOGIN_WORDS } from './login-words.ts'

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
(async()=>{if(!globalThis.crypto||!crypto.subtle){say(w.insecure);return}
for(let i=0;i<=c.maxnumber;i+=256){const n=Array.from({length:256},(_,k)=>i+k);
const all=await Promise.all(n.map(k=>crypto.subtle.digest('SHA-256',utf.encode(c.salt+k)).then(hex)));
const at=all.indexOf(c.challenge);if(at<0)continue;
const payload=btoa(JSON.stringify({algorithm:c.algorithm,challenge:c.challenge,number:i+at,salt:c.salt,signature:c.signature}));
document.cookie='${PROOF_COOKIE}='+payload.replace(/=+$/,'')+';path=/;max-age=240;samesite=strict'+(location.protocol==='https:'?';secure':'');
say(w.done);history.back();return}
say(w.none)})()`

/** A page that does the work and goes back. */
export function proofPage(
  challenge: AltchaChallenge,
  nonce: string,
  language: RefusalLanguage,
): RefusalContent {
  const words = LOGIN_WORDS[language].proof
  const { insecure, done, none } = words
  return loginPage(
    language,
    words.title,
    `<p role="status">${escapeHtml(words.working)}</p>
<noscript><p class="until">${escapeHtml(words.noScript)}</p></noscript>`,
    { nonce, text: `const c=${scriptValue(challenge)},w=${scriptValue({ insecure, done, none })};${SEARCH}` },
  )
}

/** A value as a literal within an inline script. */
function scriptValue(value: object): string {
  return JSON.stringify(value).replace(/</g, '\\u003c')
}
