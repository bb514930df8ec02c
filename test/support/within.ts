/** Looks until it is so, at the latest when so many seconds are over; then it throws. */
export async function within(seconds: number, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not so within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
