export function QueryPage() {
  return <p>Query</p>;
}
