import type { Draws } from './draws.ts'

/** Names and values that frameworks fix: filters, view state, signed cookies. */
export function addFrameworks({ pick, out, post, get, b64u }: Draws): void {
  // frameworks
  for (let i = 0; i < 100; i++) {
    get(
      'filters',
      '/items?' +
        pick([
          'filters[$and][0][title][$contains]=oak',
          'filters[price][$gte]=5&sort[0]=name:asc&populate=*',
          'createdAt[$gt]=2020-01-01&$limit=10&$skip=5&$sort[createdAt]=-1',
          'name[$ne]=Bob&$select[]=title',
          '$or[0][archived][$ne]=true&$or[1][roomId]=2',
          'where=%7B%22score%22%3A%7B%22%24gt%22%3A1000%7D%7D',
          '$filter=price%20gt%205%20and%20name%20eq%20%27x%27&$top=5&$expand=Items',
          'filter={"where":{"and":[{"a":1},{"b":{"gt":5}}]}}',
          'q=status:open%20AND%20(type:bug%20OR%20type:task)',
          'jql=project%20%3D%20A%20AND%20status%20in%20(Open,%20Done)%20ORDER%20BY%20created',
          'price[$lte]=100&price[$gte]=10',
          'query=up%7Bjob%3D%22node%22%7D%20%3E%200&time=1700000000',
          'filter[name][like]=%25oak%25',
          'fields=id,name&order_by=name desc',
        ]),
    )
  }
  post('filters', '/db/_find', {
    selector: { $and: [{ year: { $gt: 2000 } }, { type: { $in: ['a', 'b'] } }] },
    limit: 5,
  })
  post('filters', '/parse/x', { where: { score: { $gt: 5 }, $or: [{ a: 1 }, { b: 2 }] } })
  post('filters', '/api/q', { filter: { status: { $ne: 'x' } }, options: { sort: { a: -1 } } })
  post('filters', '/agg', { pipeline: [{ $match: { a: 1 } }, { $group: { _id: '$x', n: { $sum: 1 } } }] })
  out.push({
    kind: 'jsf',
    method: 'POST',
    path: '/p.xhtml',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'form=form&form%3Aname=Anna&javax.faces.ViewState=-451%3A67',
  })
  out.push({
    kind: 'jsf',
    method: 'POST',
    path: '/p.xhtml',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body:
      'javax.faces.partial.ajax=true&javax.faces.source=a%3Ab&javax.faces.partial.execute=%40all&javax.faces.behavior.event=click&javax.faces.ViewState=rO0ABXVyABNbTGphdmEubGFuZy5PYmplY3Q7' +
      b64u(60),
  })
  out.push({
    kind: 'jsf',
    method: 'POST',
    path: '/s.do',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'org.apache.struts.taglib.html.TOKEN=abcdef0123&name=x&struts.token.name=token&token=ABC',
  })
  get('jsf', '/search?q=java.lang.NullPointerException')
  get('jsf', '/search?q=java.lang.OutOfMemoryError%3A%20Java%20heap%20space')
}
