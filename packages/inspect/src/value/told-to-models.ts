import type { Reading } from './reading.ts'

/** Addresses that only an interface of language models has, and the fields in which it takes texts. */
interface ModelInterface {
  readonly address: RegExp
  /** In lower case; an element of a list has none. */
  readonly names: ReadonlySet<string>
}

const INTERFACES: readonly ModelInterface[] = [
  // OpenAI, Azure and what speaks as they do; Cohere and Jina for the ranking of documents.
  {
    address:
      /^POST (?:\/[\w*:.@-]{1,64}){0,5}\/(?:v\d{1,2}|openai\/deployments\/[\w*:.-]{1,64})\/(?:completions|embeddings|moderations|rerank|responses|audio\/speech|vector_stores\/vs_\w{1,64}\/search)\/?$/i,
    names: new Set(['', 'input', 'prompt', 'suffix', 'query', 'text', 'output']),
  },
  // The conversations that OpenAI keeps, by its own names for them.
  {
    address:
      /^POST (?:\/[\w*:.@-]{1,64}){0,5}\/v\d{1,2}\/(?:threads\/(?:thread_\w{1,64}\/)?(?:messages|runs)|conversations\/conv_\w{1,64}\/items)\/?$/i,
    names: new Set(['content', 'text', 'output', 'instructions', 'additional_instructions']),
  },
  // Bedrock
  {
    address: /^POST \/model\/[\w%*:.-]{1,128}\/invoke(?:-with-response-stream)?\/?$/i,
    names: new Set(['inputtext']),
  },
  // Servers of Hugging Face for texts and embeddings
  { address: /^POST \/generate(?:_stream)?\/?$/i, names: new Set(['inputs']) },
  { address: /^POST \/embed\/?$/i, names: new Set(['', 'inputs']) },
  // Stores of vectors: Chroma, Qdrant
  {
    address:
      /^(?:POST|PUT) (?:\/[\w*:.-]{1,64}){0,6}\/collections\/[\w*:.-]{1,64}\/(?:add|upsert|update|query|points)\/?$/i,
    names: new Set(['', 'text', 'content', 'page_content']),
  },
  // Ollama
  { address: /^POST \/(?:ollama\/)?api\/embed(?:dings)?\/?$/i, names: new Set(['', 'input', 'prompt']) },
  // Dify
  { address: /^POST (?:\/api)?\/v1\/(?:chat|completion)-messages\/?$/i, names: new Set(['query']) },
  // Flowise
  {
    address: /^POST \/api\/v1\/(?:internal-)?prediction\/[\w*:-]{1,64}\/?$/i,
    names: new Set(['question']),
  },
  // LibreChat
  {
    address:
      /^POST \/api\/(?:ask|edit|agents\/chat)\/(?:openai|azureopenai|google|anthropic|bedrock|custom|agents)\/?$/i,
    names: new Set(['text']),
  },
  // AnythingLLM
  {
    address: /^POST \/api\/(?:v1\/)?workspace\/[\w*:-]{1,64}\/(?:stream-)?chat\/?$/i,
    names: new Set(['message']),
  },
  // LangServe
  {
    address: /^POST (?:\/[\w*:.-]{1,64}){1,5}\/(?:invoke|stream_log|stream_events)\/?$/i,
    names: new Set(['input', 'question']),
  },
  // The chat of n8n
  { address: /^POST \/webhook(?:-test)?\/[\w*:-]{1,64}\/chat\/?$/i, names: new Set(['chatinput']) },
  // Langfuse and LangSmith keep what was said to a model.
  {
    address: /^POST (?:\/api(?:\/v1)?)?\/runs\/(?:batch|multipart)\/?$/i,
    names: new Set(['content', 'text', 'input', 'output', 'prompt']),
  },
  {
    address: /^POST (?:\/[\w*:.-]{1,64}){0,2}\/api\/public\/ingestion\/?$/i,
    names: new Set(['', 'content', 'text', 'input', 'output', 'prompt']),
  },
]

/** Whether a field holds what is said to a language model, under a name that only its interface has. */
export function isToldToModel(route: string, { place, name }: Reading): boolean {
  if (place !== 'body') return false
  return INTERFACES.some(({ names, address }) => names.has(name) && address.test(route))
}
