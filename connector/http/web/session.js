// Who looks at this page, and what that account may.
import { logIn, logOut, me } from "./api.js";
import { button, h, say } from "./dom.js";

const ranks = ["viewer", "operator", "admin"];
let person = { name: "", role: null };

export const can = (role) => ranks.indexOf(person.role) >= ranks.indexOf(role);
export const looks = () => person.role !== null;

export async function whoAmI() {
  person = await me();
  return person;
}

export function showMe(place) {
  const leave = async () => {
    try {
      await logOut();
    } catch (error) {
      return say(error.message, true);
    }
    dispatchEvent(new Event("postern:who"));
  };
  if (person.name)
    place.replaceChildren(h("span", { class: "name" }, person.name), h("span", { class: "role" }, person.role ?? "no role"), button("Log out", leave, "quiet", { id: "logout" }));
  else
    place.replaceChildren(person.role ? h("span", { class: "role" }, "looking only") : "", person.role ? h("a", { href: "#/login", class: "login" }, "Log in") : "");
}

export function loginView(page) {
  const name = h("input", { type: "text", name: "name", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = h("input", { type: "password", name: "password", autocomplete: "current-password", required: true });
  const wrong = h("p", { class: "bad", role: "alert" });
  const go = h("button", { type: "submit", class: "main" }, "Log in");
  const enter = async (event) => {
    event.preventDefault();
    go.disabled = true;
    wrong.textContent = "";
    try {
      await logIn(name.value, password.value);
      if (location.hash === "#/login") history.replaceState(null, "", "#/");
      dispatchEvent(new Event("postern:who"));
    } catch (error) {
      wrong.textContent = error.message;
      password.value = "";
      password.focus();
    }
    go.disabled = false;
  };
  const noRole = person.name && !person.role;
  page.replaceChildren(h("section", { class: "card enter" },
    h("img", { src: "/icon.svg", alt: "", width: 56, height: 56 }),
    h("h1", {}, "Postern"),
    noRole ? h("p", { class: "bad" }, "Your account has none of the roles viewer, operator, admin.") : h("p", { class: "soft" }, "Log in with an account of this gateway."),
    h("form", { on: { submit: enter } }, h("label", { class: "field" }, "Name", name), h("label", { class: "field" }, "Password", password), wrong, go)));
  name.focus();
  return { end() {} };
}
