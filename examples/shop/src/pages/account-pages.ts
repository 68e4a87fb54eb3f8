import type { Row } from '../database.ts'
import { html, type Markup, money } from './html.ts'

const LISTEN = html`<div id="toast" role="status"></div><script>
new WebSocket((location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host + '/notifications').onmessage = ({ data }) => {
  const { type, order } = JSON.parse(data)
  document.getElementById('toast').textContent = type === 'order' ? 'Order ' + order.id + ' was placed' : ''
}
</script>`

export function accountPage(customer: Row, orders: readonly Row[]): Markup {
  return html`<h1>${customer['name']}</h1><p class="lead">${customer['email']}</p>
<div class="panel"><p>${customer['street']}, ${customer['city']}</p><p>${customer['phone']}</p><p>Card ${customer['card']}</p></div>
<div class="row"><form method="post" action="/logout"><button class="quiet">Sign out</button></form></div>
<h2>Your orders</h2>${orderTable(orders)}${LISTEN}`
}

export function orderTable(orders: readonly Row[]): Markup {
  return html`<div class="scroll"><table><thead><tr><th>Order</th><th>Placed</th><th>Status</th><th>Customer</th><th class="number">Total</th></tr></thead><tbody>
${orders.map(
  order => html`<tr><td><a href="/orders/${order['id']}">№ ${order['id']}</a></td><td>${order['placed']}</td>
<td><span class="tag">${order['status']}</span></td><td>${order['name']}</td><td class="number">${money(order['total'])}</td></tr>`,
)}</tbody></table></div>`
}

export function orderPage(order: Row, lines: readonly Row[]): Markup {
  return html`<h1>Order № ${order['id']}</h1><p class="lead">Placed ${order['placed']} · ${order['status']}</p>
<div class="panel"><p><b>${order['name']}</b></p><p>${order['street']}, ${order['city']}</p><p>${order['email']} · ${order['phone']}</p><p>Card ${order['card']}</p><p>${order['note']}</p></div>
<div class="scroll"><table><thead><tr><th>Product</th><th class="number">Quantity</th><th class="number">Price</th></tr></thead><tbody>
${lines.map(line => html`<tr><td>${line['name']}</td><td class="number">${line['quantity']}</td><td class="number">${money(line['price'])}</td></tr>`)}
<tr><td><b>Total</b></td><td></td><td class="number"><b>${money(order['total'])}</b></td></tr></tbody></table></div>`
}

export function adminPage(totals: Row, customers: readonly Row[], orders: readonly Row[]): Markup {
  return html`<h1>Admin</h1><p class="lead">Everything about everyone.</p>
<div class="tiles"><div><b>${totals['customers']}</b>customers</div><div><b>${totals['orders']}</b>orders</div>
<div><b>${totals['products']}</b>products</div><div><b>${money(totals['revenue'])}</b>revenue</div></div>
<div class="row"><a class="button" href="/admin/export.csv">Export customers</a>
<form method="post" action="/admin/orders/delete"><input type="hidden" name="status" value="delivered"><button class="quiet">Delete delivered orders</button></form></div>
<h2>Latest orders</h2>${orderTable(orders)}
<h2>Customers</h2><form class="row" action="/admin"><input name="email" type="email" aria-label="E-mail of a customer" placeholder="E-mail"><button class="quiet">Find</button></form>
<div class="scroll"><table><thead><tr><th>Name</th><th>E-mail</th><th>Phone</th><th>City</th><th>Born</th><th>Card</th></tr></thead><tbody>
${customers.map(
  customer =>
    html`<tr><td>${customer['name']}</td><td>${customer['email']}</td><td>${customer['phone']}</td><td>${customer['city']}</td><td>${customer['born']}</td><td>${customer['card']}</td></tr>`,
)}</tbody></table></div>`
}
