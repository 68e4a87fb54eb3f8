import { mkdtempSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execSync } from 'node:child_process'
const root='/work/w-lead'
const { startBackend } = await import(root+'/packages/cli/test/backend.ts')
const { startCli } = await import(root+'/packages/cli/test/cli.ts')
async function freePort(){ const s=createServer().listen(0,'127.0.0.1'); await new Promise(r=>s.once('listening',r)); const {port}=s.address() as any; await new Promise(r=>s.close(r)); return port }
const folder = mkdtempSync(join(tmpdir(),'postern-stall-'))
const port=await freePort(); const backend=await startBackend()
writeFileSync(join(folder,'postern.config.yaml'),`upstream: ${backend.url}
listen: 127.0.0.1:${port}
admin: false
workers: 2
limits: { address: 1000000/1m, busy: false }
routes: { 'POST /before': { record: before } }
`)
for (let round=0; round<Number(process.argv[2]??10); round++){
  const child=startCli(['gateway'],folder); let output=''
  child.stdout.on('data',(c:Buffer)=>{output+=c}); child.stderr.on('data',(c:Buffer)=>{output+=c})
  const ended=new Promise(r=>child.once('close',r)); const agent=new Agent({keepAlive:false})
  let isOver=false, n=0, undef=0, last=Date.now(), pending=new Map<number,string>(), errs:Record<string,number>={}
  const t0=Date.now(); let phase='start'
  const ask=(path:string)=>new Promise<number|undefined>(resolve=>{ const id=Math.random(); pending.set(id,path+' '+(Date.now()-t0)); const done=(v:any)=>{pending.delete(id);resolve(v)}
    const s=request({host:'127.0.0.1',port,path,method:'POST',agent},r=>{r.on('error',()=>done(undefined)).on('end',()=>done(r.statusCode)).resume()}); s.on('error',(e:any)=>{errs[e.code]=(errs[e.code]??0)+1;done(undefined)}).end()})
  const clients=Array.from({length:4},async(_,c)=>{ while(!isOver){ const st=await ask(c%2===0?'/after':'/before'); if(st===200){n++;last=Date.now()} else if(st===undefined){undef++; await new Promise(r=>setTimeout(r,2))} else console.log('STATUS',st,phase) }})
  const reach=async(c:number)=>{ while(n<c){ await new Promise(r=>setTimeout(r,20)); if(Date.now()-last>20000){ console.log('STALL round',round,phase,'n',n,'undef',undef,errs,'pending',[...pending.values()],'now',Date.now()-t0); console.log(output); console.log(execSync(`ss -tanp | grep ${port} | head -40; ps -ef --forest | grep -A6 "bin.ts gateway" | head -30`).toString()); await new Promise(r=>setTimeout(r,20000)); console.log('later n',n,errs,'pending',[...pending.values()]); process.exit(1)} } }
  await reach(200); phase='hup1'; child.kill('SIGHUP'); await reach(400); phase='hup2'; child.kill('SIGHUP'); await reach(600); isOver=true; await Promise.all(clients); child.kill('SIGTERM'); await ended
  console.log('round',round,Date.now()-t0,'ms',errs)
}
process.exit(0)
