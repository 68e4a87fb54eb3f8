import { escapeHtml, plainPage, type RefusalContent, type RefusalLanguage } from '@postern/core'
import { CHALLENGE_WORDS } from './challenge-words.ts'

/**
 * SHA-256 (FIPS 180-4) and the search, for browsers: `crypto.subtle` does not exist on plain HTTP, and a
 * promise per hash would be slower than the hash. The first block never changes, so its state is kept.
 */
const SEARCH = `
const K=[],H=[];let n=2;const frac=x=>((x-Math.floor(x))*4294967296)|0;
while(K.length<64){let p=true;for(let i=2;i*i<=n;i++)if(n%i===0){p=false;break}
if(p){if(H.length<8)H.push(frac(Math.sqrt(n)));K.push(frac(Math.cbrt(n)))}n++}
const W=new Int32Array(64);
function block(s,b,o){for(let i=0;i<16;i++,o+=4)W[i]=b[o]<<24|b[o+1]<<16|b[o+2]<<8|b[o+3];
for(let i=16;i<64;i++){const x=W[i-15],y=W[i-2];W[i]=((x>>>7|x<<25)^(x>>>18|x<<14)^x>>>3)+W[i-7]+((y>>>17|y<<15)^(y>>>19|y<<13)^y>>>10)+W[i-16]|0}
let [a,c,d,e,f,g,h,k]=s;for(let i=0;i<64;i++){const t=k+((f>>>6|f<<26)^(f>>>11|f<<21)^(f>>>25|f<<7))+(f&g^~f&h)+K[i]+W[i]|0;
const u=((a>>>2|a<<30)^(a>>>13|a<<19)^(a>>>22|a<<10))+(a&c^a&d^c&d)|0;k=h;h=g;g=f;f=e+t|0;e=d;d=c;c=a;a=t+u|0}
return[s[0]+a|0,s[1]+c|0,s[2]+d|0,s[3]+e|0,s[4]+f|0,s[5]+g|0,s[6]+h|0,s[7]+k|0]}
function zeros(t){let s=H;const l=t.length,m=((l+8>>6)+1)*64,b=new Uint8Array(m);for(let i=0;i<l;i++)b[i]=t.charCodeAt(i);
b[l]=128;b[m-1]=l*8;b[m-2]=l*8>>8;for(let o=0;o<m;o+=64)s=block(s,b,o);return s[0]===0?32+Math.clz32(s[1]):Math.clz32(s[0])}
let i=0;function work(){const end=Date.now()+40;while(Date.now()<end){if(zeros(puzzle+':'+i)>=bits){
document.cookie=name+'='+puzzle+':'+i+';path=/;max-age=120;samesite=lax'+(location.protocol==='https:'?';secure':'');
if(again)location.reload();else{document.querySelector('[role=status]').textContent=done;history.back()}return}i++}
setTimeout(work)}work()`

export interface ChallengePage {
  readonly puzzle: string
  readonly difficulty: number
  /** Cookie that takes the solution. */
  readonly cookie: string
  /** Fresh and random, for the page's policy. */
  readonly nonce: string
  /** Whether loading the page again repeats the request safely. */
  readonly then: 'repeat' | 'go-back'
  readonly requestId: string
  readonly language: RefusalLanguage
}

/**
 * A page that solves the puzzle and reloads. It is self-contained: no requests to others, no script but its
 * own.
 */
export function challengePage(page: ChallengePage): RefusalContent {
  const { puzzle, difficulty, cookie, nonce, then, requestId, language } = page
  const words = CHALLENGE_WORDS[language]
  const values =
    `const puzzle=${scriptText(puzzle)},bits=${difficulty},name=${scriptText(cookie)},` +
    `again=${then === 'repeat'},done=${scriptText(words.goBack)};`
  return {
    type: 'text/html; charset=utf-8',
    policy: `default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
    text: plainPage({
      language,
      title: words.title,
      main: `<h1>${escapeHtml(words.title)}</h1>
<p role="status">${escapeHtml(words.working)}</p>
<noscript><p class="until">${escapeHtml(words.noScript)}</p></noscript>
<div class="help">
<p class="soft">${escapeHtml(words.stays)}</p>
<p class="soft">${escapeHtml(words.number)}: <code dir="ltr">${escapeHtml(requestId)}</code></p>
</div>
<script nonce="${nonce}">${values}${SEARCH}</script>`,
    }),
  }
}

/** A text as a literal within an inline script. */
function scriptText(text: string): string {
  return JSON.stringify(text).replace(/</g, '\\u003c')
}
