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

// What is being typed as a new password is judged while it is typed; without this file, when it is sent.
for (const input of document.querySelectorAll('[data-advice]')) {
  const strength = document.getElementById('strength');
  const text = document.getElementById('strength-text');
  let timer;
  let asked = 0;
  const ask = async () => {
    asked += 1;
    const question = asked;
    const body = new URLSearchParams(new FormData(input.form));
    const answer = await fetch(input.dataset.advice, { method: 'POST', body }).catch(() => undefined);
    // A later question is on its way, there is nothing to say, or the form has been sent meanwhile and led to its next page.
    if (question !== asked || answer?.status !== 200 || answer.redirected) return;
    const advice = await answer.json();
    document.getElementById('strength-meter').value = Math.max(0.3, advice.level);
    text.textContent = advice.text;
    strength.hidden = false;
  };
  input.addEventListener('input', () => {
    clearTimeout(timer);
    if (input.value === '') strength.hidden = true;
    else timer = setTimeout(ask, 400);
  });
}

for (const button of document.querySelectorAll('[data-copies]')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).innerText);
    document.getElementById(`${button.id}-status`).textContent = button.dataset.copied;
  });
}

for (const button of document.querySelectorAll('[data-prints]')) {
  button.hidden = false;
  button.addEventListener('click', () => print());
}

const summary = document.getElementById('error-summary');
if (summary) {
  summary.focus();
  // The Back button and a reload come to the page itself, not to the form that was refused.
  history.replaceState(null, '', location.pathname.replace(/^(\/(interaction|journey)\/[^/]+)\/.*/, '$1'));
}

// A second click while the first is on its way would only get in its way.
for (const form of document.querySelectorAll('main form:not(#session-notice, .passkey)')) {
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

// Only where the device can make a passkey of its own is one offered after the sign-in.
const canPasskey = document.querySelector('[name=can_passkey]');
if (canPasskey)
  window.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.().then((can) => {
    canPasskey.value = can ? 'yes' : '';
  });

for (const form of document.querySelectorAll('form.passkey')) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) continue;
  form.hidden = false;
  const { create, get, autofill, failed } = form.dataset;
  const options = JSON.parse(create ?? get);
  let asking;
  // One question at a time: the button ends what waits behind the username field.
  const ask = async (mediation) => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const credential = create
      ? await navigator.credentials.create({
          publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
          signal,
        })
      : await navigator.credentials.get({
          publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
          mediation,
          signal,
        });
    form.elements.passkey.value = JSON.stringify(credential);
    form.submit();
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    ask().catch(() => {
      form.querySelector('[role=status]').textContent = failed;
    });
  });
  if (autofill === undefined) continue;
  PublicKeyCredential.isConditionalMediationAvailable?.().then((can) => can && ask('conditional').catch(() => {}));
}

// Password managers hear which passkeys there still are, and stop offering the others.
const unknown = document.getElementById('unknown-passkey');
if (unknown) window.PublicKeyCredential?.signalUnknownCredential?.(JSON.parse(unknown.dataset.signal)).catch(() => {});
const signal = document.getElementById('passkey-signal');
if (signal)
  window.PublicKeyCredential?.signalAllAcceptedCredentials?.(JSON.parse(signal.dataset.signal)).catch(() => {});
