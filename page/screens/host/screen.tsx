export default function Screen() {
  return <h1>soon</h1>;
}
