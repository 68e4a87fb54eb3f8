import type { Row } from '../database.ts'
import { html, type Markup, money, unescaped } from './html.ts'
import { picture } from './picture.ts'

const card = (product: Row): Markup => html`<a class="card" href="/products/${product['id']}">
  <img src="/images/${product['id']}.svg" alt="" loading="lazy">
  <div><b>${product['name']}</b><small>${product['description']}</small><span class="price">${money(product['price'])}</span></div></a>`

export function homePage(products: readonly Row[]): Markup {
  return html`<section class="hero"><div><h1>Good things for bad weather.</h1>
<p class="lead">Lanterns, rope, galley ware and oilskins, from people who have been out in it.</p>
<a class="button" href="/products">See everything</a></div><div>${unescaped(picture('Lights', 205))}</div></section>
<h2>New on the quay</h2><div class="grid">${products.map(card)}</div>`
}

export function productsPage(products: readonly Row[]): Markup {
  return html`<h1>Products</h1><p class="lead">${products.length} things, all in stock until they are not.
Sort by <a href="?sort=name">name</a>, <a href="?sort=price">price</a> or <a href="?sort=category">kind</a>.</p>
<div class="grid">${products.map(card)}</div>`
}

/** HOLE (stored XSS): a review is shown as the markup its author wrote. */
export function productPage(product: Row, reviews: readonly Row[]): Markup {
  return html`<div class="detail"><img src="/images/${product['id']}.svg" alt="">
<div><span class="tag">${product['category']}</span><h1>${product['name']}</h1><p class="lead">${product['description']}</p>
<p class="price">${money(product['price'])}</p><p class="lead">${product['stock']} in stock</p>
<form method="post" action="/orders"><input type="hidden" name="product" value="${product['id']}"><button>Order one</button></form></div></div>
<h2>What others say</h2>
${reviews.map(
  review => html`<div class="panel"><b>${review['author']}</b> <span class="tag">${review['stars']} of 5</span>
<p>${unescaped(String(review['text']))}</p></div>`,
)}
<form class="stack" method="post" action="/products/${product['id']}/reviews">
<label>Your name<input name="author" required></label><label>Your review<textarea name="text" rows="3" required></textarea></label>
<div><button>Publish</button></div></form>`
}

/** HOLE (reflected XSS): what was searched for is repeated as it came. */
export function searchPage(query: string, products: readonly Row[]): Markup {
  return html`<h1>Search</h1><p class="lead">${products.length} results for “${unescaped(query)}”.</p>
<div class="grid">${products.map(card)}</div>`
}

export function loginPage(problem: string | undefined): Markup {
  return html`<h1>Sign in</h1>${problem === undefined ? undefined : html`<p class="notice">${problem}</p>`}
<form class="stack" method="post" action="/login"><label>E-mail<input name="email" type="email" autocomplete="username" required></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label><div><button>Sign in</button></div></form>
<p class="lead" style="margin-top:2rem">New here? <a href="/register">Make an account.</a></p>`
}

export function registerPage(problem: string | undefined): Markup {
  return html`<h1>Make an account</h1>${problem === undefined ? undefined : html`<p class="notice">${problem}</p>`}
<form class="stack" method="post" action="/register"><label>Name<input name="name" required></label>
<label>E-mail<input name="email" type="email" required></label>
<label>Password<input name="password" type="password" required></label><div><button>Make it</button></div></form>`
}
