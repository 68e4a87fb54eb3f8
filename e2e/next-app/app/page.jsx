export default async function Page({ searchParams }) {
  const { q = '' } = await searchParams
  return <h1>You searched for {q}</h1>
}
