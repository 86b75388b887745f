// Reads the page's outbox past the page: the localIds of what is to be sent, in order.
() => new Promise((resolve, reject) => {
  const root = document.querySelector('meta[name=chat-root]').content;
  const opened = indexedDB.open(`chat-outbox ${root}`);
  opened.onerror = () => reject(opened.error);
  opened.onsuccess = () => {
    const asked = opened.result.transaction('messages').objectStore('messages').getAll();
    asked.onerror = () => reject(asked.error);
    asked.onsuccess = () => {
      opened.result.close();
      resolve(asked.result.sort((a, b) => a.order - b.order).map(({ localId }) => localId));
    };
  };
})
