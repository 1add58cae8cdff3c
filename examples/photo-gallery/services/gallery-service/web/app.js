// Behind a gateway, the camera has the same address as this page; without one, it has its own port.
const CAMERA = location.port === "8081" ? `${location.protocol}//${location.hostname}:8080` : "";

const button = document.getElementById("capture");
const message = document.getElementById("message");
const photos = document.getElementById("photos");

async function json(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

function show(photo) {
  const image = document.createElement("img");
  image.src = `photos/${photo.id}/thumbnail?width=320`;
  image.alt = `Photo ${photo.id}`;
  const link = document.createElement("a");
  link.href = `photos/${photo.id}`;
  link.append(image);
  photos.prepend(link);
}

async function attempt(action) {
  button.disabled = true;
  message.textContent = "";
  try {
    await action();
  } catch (error) {
    message.textContent = error.message;
  } finally {
    button.disabled = false;
  }
}

button.addEventListener("click", () =>
  attempt(async () => show(await json(`${CAMERA}/camera/capture`, { method: "POST" }))));

attempt(async () => (await json("photos")).forEach(show));
