// Runs before the first paint, in any browser, so it is written in the oldest JavaScript.
(function () {
  var html = document.documentElement;
  try {
    var theme = localStorage.getItem('chat-theme');
    if (theme === 'light' || theme === 'dark') html.setAttribute('data-theme', theme);
    var meta = document.querySelector('meta[name=chat-root]');
    if (localStorage.getItem('chat-user' + (meta ? meta.getAttribute('content') : ''))) html.setAttribute('data-known', ''); // a skeleton of the page, not of the door
  } catch (error) {
    // Storage may be forbidden: then the system's preference holds.
  }
  var lost = false;
  document.addEventListener('error', function (event) {
    lost = lost || /** @type {Element} */ (event.target).nodeName === 'SCRIPT'; // on its way: the browser is not the reason
  }, true);
  // A browser that takes modules, but not all that is in this one, has not run it by now.
  document.addEventListener('DOMContentLoaded', function () {
    if ('__chat' in window || /[?&]transport=poll(&|$)/.test(location.search)) return;
    if (lost) return sayLost();
    location.replace(location.pathname + location.search + (location.search ? '&' : '?') + 'transport=poll' + location.hash);
  });

  function sayLost() {
    var boot = document.getElementById('boot');
    if (!boot) return;
    boot.hidden = false;
    boot.textContent = 'The page did not arrive whole. Reload it.';
  }
})();
