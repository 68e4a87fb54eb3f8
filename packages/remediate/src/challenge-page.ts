import type { RefusalContent } from '@postern/core'

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
if(again)location.reload();else{document.querySelector('p').textContent='Done. Please go back and send it again.';history.back()}return}i++}
setTimeout(work)}work()`

/**
 * A page that solves the puzzle and reloads. It is self-contained: no requests to
 * others, no script but its own.
 * @param nonce fresh and random, for the page's policy
 * @param canRepeat whether loading the page again repeats the request safely
 */
export function challengePage(
  puzzle: string,
  difficulty: number,
  cookie: string,
  nonce: string,
  canRepeat: 'repeat' | 'go-back',
  requestId: string,
): RefusalContent {
  const values = `const puzzle=${JSON.stringify(puzzle)},bits=${difficulty},name=${JSON.stringify(cookie)},again=${canRepeat === 'repeat'};`
  return {
    type: 'text/html; charset=utf-8',
    policy: `default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-${nonce}'; frame-ancestors 'none'`,
    text: `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>One moment</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}</style>
<h1>One moment</h1>
<p role="status">Your browser is solving a small puzzle, because of unusual traffic from your network. This takes a few seconds.</p>
<noscript>This needs JavaScript. Please switch it on for this site, or try again later.</noscript>
<p>If this page stays, tell the people who run this site the request id: <code>${requestId}</code></p>
<script nonce="${nonce}">${values}${SEARCH}</script>
</html>
`,
  }
}
