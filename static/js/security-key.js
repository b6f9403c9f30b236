// A security key is asked when its button is pressed; its answer is sent with the form that the button is in.
for (const form of document.querySelectorAll("form[data-security-key]")) {
  const problem = document.querySelector("[data-key-problem]");
  form.querySelector("[data-use-key]").addEventListener("click", async () => {
    if (!form.reportValidity()) return;
    problem.hidden = true;
    const options = JSON.parse(document.getElementById("key-options").textContent);
    try {
      const answer = form.dataset.securityKey === "create"
        ? await webauthnJSON.create(options.creation_options)
        : await webauthnJSON.get(options.request_options);
      form.elements.credential.value = JSON.stringify(answer);
      form.requestSubmit();
    } catch {
      problem.hidden = false;
    }
  });
}
