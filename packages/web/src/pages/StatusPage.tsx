export function StatusPage() {
  return <p>Status</p>;
}
