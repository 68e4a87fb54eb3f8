import { deflateRawSync } from 'node:zlib'

/** What an archive holds. */
export interface Entry {
  readonly name: string
  readonly content: Buffer | string
  /** The name that its own header gives it. */
  readonly own?: string
  /** Whether its own header does not begin as one. */
  readonly isMarkless?: boolean
}

/** A ZIP archive with a directory, behind something else if that is given. */
export function zip(entries: readonly Entry[], before: Buffer = Buffer.alloc(0), comment = ''): Buffer {
  const parts = [before]
  const listed: Buffer[] = []
  let at = before.length
  for (const { name, content, own = name, isMarkless = false } of entries) {
    const packed = deflateRawSync(content)
    const header = Buffer.alloc(30)
    header.write(isMarkless ? 'QQQQ' : 'PK\u0003\u0004', 'latin1')
    header.writeUInt16LE(8, 8)
    header.writeUInt16LE(own.length, 26)
    const item = Buffer.alloc(46)
    item.write('PK\u0001\u0002', 'latin1')
    item.writeUInt32LE(packed.length, 20)
    item.writeUInt32LE(Buffer.byteLength(content), 24)
    item.writeUInt16LE(name.length, 28)
    item.writeUInt32LE(at - before.length, 42)
    parts.push(header, Buffer.from(own), packed)
    listed.push(item, Buffer.from(name))
    at += 30 + own.length + packed.length
  }
  const directory = Buffer.concat(listed)
  const end = Buffer.alloc(22)
  end.write('PK\u0005\u0006', 'latin1')
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at - before.length, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...parts, directory, end, Buffer.from(comment)])
}

/** A tar archive of one entry. */
export function tar(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(512)
  head.write(name)
  head.write(content.length.toString(8).padStart(11, '0'), 124)
  head.write('ustar', 257)
  return Buffer.concat([head, content, Buffer.alloc(1_024 - (content.length % 512))])
}

/** PDF with one stream under these filters. */
export function pdf(content: Buffer, filters = '/FlateDecode'): Buffer {
  return Buffer.concat([
    Buffer.from(`%PDF-1.7\n1 0 obj\n<</Filter ${filters}>>\nstream\r\n`),
    content,
    Buffer.from('\nendstream\nendobj\n%%EOF'),
  ])
}

/** PNG with one chunk between its first and its last. */
export function png(type: string, content: Buffer): Buffer {
  const chunk = (name: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    return Buffer.concat([length, Buffer.from(name), data, Buffer.alloc(4)])
  }
  const head = Buffer.from('\u0089PNG\r\n\u001a\n', 'latin1')
  return Buffer.concat([
    head,
    chunk('IHDR', Buffer.alloc(13)),
    chunk(type, content),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
