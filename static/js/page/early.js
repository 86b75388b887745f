// Runs before the first paint, in any browser, so it is written in the oldest JavaScript.
(function () {
  var html = document.documentElement;
  try {
    var theme = localStorage.getItem('chat-theme');
    if (theme === 'light' || theme === 'dark') html.setAttribute('data-theme', theme);
    if (localStorage.getItem('chat-user')) html.setAttribute('data-known', ''); // a skeleton of the page, not of the door
  } catch (error) {
    // Storage may be forbidden: then the system's preference holds.
  }
  // A browser that takes modules, but not all that is in this one, has not run it by now.
  document.addEventListener('DOMContentLoaded', function () {
    if ('__chat' in window || /[?&]transport=poll(&|$)/.test(location.search)) return;
    location.replace(location.pathname + location.search + (location.search ? '&' : '?') + 'transport=poll' + location.hash);
  });
})();
