// Counts what holds and what does not, and says so the way cargo's tests do.

let passed = 0;
let failed = 0;

export async function check(name, work) {
  try {
    await work();
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n        ${String(error?.stack ?? error).replaceAll("\n", "\n        ")}`);
  }
}

// Prints the counts. A script that found nothing to check has failed.
export function end() {
  const good = failed === 0 && passed > 0;
  console.log(`test result: ${good ? "ok" : "FAILED"}. ${passed} passed; ${failed} failed`);
  process.exit(good ? 0 : 1);
}
