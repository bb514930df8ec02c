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
