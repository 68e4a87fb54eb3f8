import { createHash, createHmac } from 'node:crypto'

/** Access key of an AWS identity; requests to KMS are signed with it (Signature Version 4). */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string
}

/** A request to sign. Header names are lower-case; `host` is one of them. */
export interface AwsRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly region: string
  readonly service: string
  /** Epoch milliseconds. */
  readonly time: number
}

/**
 * The headers to add to a request: Signature Version 4 (AWS General Reference), for requests without a query.
 */
export function awsSignature(
  request: AwsRequest,
  credentials: AwsCredentials,
): Readonly<Record<string, string>> {
  const stamp = `${new Date(request.time).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`
  const day = stamp.slice(0, 8)
  const added: Record<string, string> = {
    'x-amz-date': stamp,
    ...(credentials.sessionToken !== undefined && { 'x-amz-security-token': credentials.sessionToken }),
  }
  const headers = Object.entries({ ...request.headers, ...added }).sort(([x], [y]) => (x < y ? -1 : 1))
  const signed = headers.map(([name]) => name).join(';')
  const canonical = [
    request.method,
    request.path,
    '',
    ...headers.map(([name, value]) => `${name}:${value.trim()}`),
    '',
    signed,
    sha256(request.body),
  ].join('\n')
  const scope = `${day}/${request.region}/${request.service}/aws4_request`
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${sha256(canonical)}`
  const key = [day, request.region, request.service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${credentials.secretAccessKey}`,
  )
  const signature = hmac(key, toSign).toString('hex')
  return {
    ...added,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
