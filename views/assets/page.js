// Pages work without this file. It adds the Show button of passwords and puts the focus on what went wrong.
for (const button of document.querySelectorAll('[data-reveals]')) {
  const input = document.getElementById(button.dataset.reveals);
  const status = document.getElementById(`${button.id}-status`);
  button.hidden = false;
  const reveal = (shown) => {
    input.type = shown ? 'text' : 'password';
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
    button.setAttribute('aria-pressed', String(shown));
  };
  button.addEventListener('click', () => {
    const shown = input.type === 'password';
    reveal(shown);
    status.textContent = shown ? button.dataset.shown : button.dataset.hidden;
  });
  // Sent hidden, so that no browser offers to remember it as plain text.
  input.form.addEventListener('submit', () => reveal(false));
}

document.getElementById('error-summary')?.focus();

// A second click while the first is on its way would only get in its way.
for (const form of document.querySelectorAll('main form:not(#session-notice)')) {
  let sentAt = 0;
  form.addEventListener('submit', (event) => {
    if (Date.now() - sentAt < 3000) event.preventDefault();
    else sentAt = Date.now();
  });
  addEventListener('pageshow', () => {
    sentAt = 0;
  });
}

// A form that asks nothing sends itself; without this file its button does.
document.querySelector('[data-submits-itself]')?.requestSubmit();

// Before the session ends the page says so; one click keeps the member signed in.
const notice = document.getElementById('session-notice');
if (notice) {
  document.querySelector('h1').tabIndex = -1;
  const text = document.getElementById('session-notice-text');
  let timer;
  let ending;
  const wait = () => {
    const left = notice.dataset.endsAt * 1000 - Date.now();
    clearTimeout(timer);
    notice.hidden = true;
    timer = setTimeout(
      () => {
        notice.hidden = false;
        text.textContent = text.dataset.text;
      },
      Math.max(0, left - notice.dataset.warning * 1000),
    );
    clearTimeout(ending);
    ending = setTimeout(() => location.reload(), Math.max(0, left) + 1000);
  };
  notice.addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(notice));
    const headers = { accept: 'application/json' };
    const answer = await fetch(notice.action, { method: 'POST', body, headers }).catch(() => undefined);
    if (answer === undefined) {
      text.textContent = text.dataset.failed;
      return;
    }
    // Too late: the page says what has happened.
    if (!answer.ok) return location.reload();
    notice.dataset.endsAt = (await answer.json()).endsAt;
    text.textContent = '';
    document.querySelector('h1').focus();
    wait();
  });
  wait();
}
