/**
 * What is left out of Preact when the page is built: classes of components and the moments of their lives, contexts, portals, boundaries of errors, pages that a
 * server began, and markup from text, none of which this page has. What is cut stands here as the pinned version has it; `leaner` throws if it has it no longer.
 */

/** Each a part of the file and what stands in its place. */
export const PREACT: [string, string][] = [
  // Elements: neither portals nor foreign prefixes, and text never becomes markup.
  ['"function"!=typeof n.type||n.props.__P?null', '"function"!=typeof n.type?null'],
  ["&&n.__c&&!n.props.__P)return n.__e=null", "&&n.__c)return n.__e=null"],
  ["if(n.props.__P)return t;", ""],
  ["o=n.__e,e=t;e&&8==e.nodeType;)e=e.nextSibling;for(o!=e&&", "o=n.__e;0;);for(o!=t&&"],
  ['t=o;(t=t&&t.nextSibling)&&8==t.nodeType&&!t.data.startsWith("$s"););return t', "t=o;t=t&&t.nextSibling,0;);return t"],
  ['t=t.replace(/xlink(H|:h)/,"h").replace(/sName$/,"s");', ";"],
  [',"popover"==t&&1==r?"":r)', ",r)"],
  ['&&"popover"!=t&&', "&&"],
  ['"string"==typeof r)n.style.cssText=r;else{if("string"==typeof u&&(n.style.cssText=u=""),u)', "0);else{if(u)"],
  ["f=t!=(t=t.replace(l,\"$1\")),(t=t.slice(2))", "(t=t.slice(2))"],
  // Components: functions alone.
  ["128&u.__u&&(c=32&u.__u,s=u.__c.__z)&&(r.__u|=c,p=o=[],8==s.nodeType?l=B(s,o):o.push(s),l=o[0]||l),", ""],
  ["C=(s=V.prototype)&&s.render,j=(s=V.contextType)&&i[s.__c],L=s?j?j.props.value:s.__:i,(d=u.__c)?(r.__c=d,2&d.__g&&(d.__g|=1)):(C?r.__c=d=new V(M,L):(r.__c=d=new x(M,L),d.constructor=V,d.render=K),j&&j.sub(d),d.state||(d.state={}),", "(d=u.__c)?r.__c=d:(r.__c=d=new x(M,i),d.constructor=V,d.render=K,"],
  ["C&&(d.__s||(d.__s=d.state),V.getDerivedStateFromProps&&(d.__s==d.state&&(d.__s=_({},d.__s)),_(d.__s,V.getDerivedStateFromProps(M,d.__s)))),k=d.props,b=d.state,", ""],
  ["if(M!==k&&C&&!V.getDerivedStateFromProps&&d.componentWillReceiveProps&&d.componentWillReceiveProps(M,L),", "if("],
  ["d.shouldComponentUpdate(M,d.__s,L)", "d.shouldComponentUpdate(M)"],
  ["(d.props=M,d.state=d.__s,d.__g&=-9)", "(d.props=M,d.__g&=-9)"],
  ["y.push.apply(d.__h,d.__k),d.__k=[],d.__h.length&&e.push(d),l=S(u);break n}d.componentWillUpdate&&d.componentWillUpdate(M,d.__s,L),C&&d.componentDidUpdate&&d.__h.push(function(){d.componentDidUpdate(k,b,m)})}else C&&!V.getDerivedStateFromProps&&d.componentWillMount&&d.componentWillMount(),C&&d.componentDidMount&&d.__h.push(d.componentDidMount);d.context=L,", "d.__h.length&&e.push(d),l=S(u);break n}}"],
  ["q=C?25:0", "q=0"],
  ["d.render(d.props,d.state=d.__s,d.context)", "d.render(d.props)"],
  ["C&&(y.push.apply(d.__h,d.__k),d.__k=[]),d.state=d.__s,d.getChildContext&&(i=_({},i,d.getChildContext())),C&&u.__c&&d.getSnapshotBeforeUpdate&&(m=d.getSnapshotBeforeUpdate(k,b)),", ""],
  ["M.__P&&(s=l,f=(t=M.__P).namespaceURI,c=o=null,u.props&&u.props.__P!=t&&(u.__k.some(function(n){n&&J(n,n)}),u.__k=null),l=u.__k?S(u,0):null),", ""],
  ["M.__P&&(r.__e=null,l=s),r.__u&=-161,p&&p.some(g),", ""],
  [",1&d.__g&&(d.__g&=-4)", ""],
  ["function K(n,t,r){return this.constructor(n,r)}", "function K(n){return this.constructor(n)}"],
  ['var r=this.__s;r&&r!=this.state||(r=this.__s=_({},this.state)),"function"==typeof n&&(n=n(_({},r),this.props)),n&&(_(r,n),this.__v&&(t&&this.__k.push(t),L(this)))', "this.__v&&L(this)"],
  ["x.prototype.forceUpdate=function(n){this.__v&&(this.__g|=4,n&&this.__h.push(n),L(this))},x.prototype.render=$,", ""],
  ["d.__h=[],d.__k=[])", "d.__h=[])"],
  // Errors: they reach the browser.
  ["e.length=v,r.__v=null,c||o)if(t&&t.then){", "e.length=v,r.__v=null,0)if(t){"],
  ["r.__k||(r.__k=u.__k||[]),t&&t.then||D(r),n.__e", "r.__k||(r.__k=u.__k||[]),n.__e"],
  ["for(var i,o,e;t=t.__;)if((i=t.__c)&&!(1&i.__g)){i.__g|=4;try{if((e=(o=i.constructor)&&o.getDerivedStateFromError)&&i.setState(o.getDerivedStateFromError(n)),i.componentDidCatch&&(i.componentDidCatch(n,u||{}),e=1),e&&8&i.__g)return void(i.__g|=2)}catch(t){n=t}}throw", "throw"],
  // Nothing is there before the page draws it.
  ['"svg"==C?f="http://www.w3.org/2000/svg":"math"==C?f="http://www.w3.org/1998/Math/MathML":f||(f="http://www.w3.org/1999/xhtml"),o)for(s=0;s<o.length;s++)if((k=o[s])&&(C?k.localName==C:3==k.nodeType)){t=k,o[s]=null;break}if(!t)', '"svg"==C&&(f="http://www.w3.org/2000/svg"),!t)'],
  ["M=a.ownerDocument||document,!C)return M.createTextNode(x);t=M.createElementNS(f,C,x.is?x:a),l&&(n.__m&&n.__m(r,o),l=!1),o=null}", "!C)return document.createTextNode(x);t=document.createElementNS(f,C)}"],
  ['a="template"==C&&t.content||t,o="textarea"==C&&null!=x.defaultValue?null:o&&d.call(a.childNodes),!l&&o)for($={},s=0;s<t.attributes.length;s++)$[(k=t.attributes[s]).name]=k.value;for', "a=t,0);for"],
  ['"dangerouslySetInnerHTML"==s?y=k:"children"==s||s in x||"value"==s&&"defaultValue"in x||"checked"==s&&"defaultChecked"in x||', '"children"==s||s in x||'],
  ['"dangerouslySetInnerHTML"==s?h=k:', ""],
  ['l&&"function"!=typeof k||$[s]===k||', "$[s]===k||"],
  ['h?(l||y&&(h.__html==y.__html||h.__html==t.innerHTML)||(t.innerHTML=h.__html),r.__k=[]):(y&&(t.textContent=""),("foreignObject"==C||"http://www.w3.org/1998/Math/MathML"==f&&v.test(C))&&(f="http://www.w3.org/1999/xhtml"),I(a,w(_)?_:[_],r,u,i,f,o,e,o?o[0]:u.__k&&S(u,0),l,c),o&&o.some(g)),l&&"textarea"!=C||(s="value","progress"==C&&null==b?t.removeAttribute(s):null==b||b===t[s]&&("progress"!=C||b)||N', 'I(a,w(_)?_:[_],r,u,i,f,o,e,u.__k&&S(u,0),l,c);(s="value",null==b||b===t[s]||N'],
  ["$===x||l&&t.data==x||(t.data=x)", "$===x||(t.data=x)"],
  ["if(i.componentWillUnmount)try{i.componentWillUnmount()}catch(t){n.__e(t,r)}i.__P=i.__n=null", "i.__P=i.__n=null"],
  ['"function"!=typeof t.type||u&&!t.props.__P);!u&&(i=t.__c)&&(i=i.__z)&&(f=B(i,o=[]))&&(i==t.__e&&o.some(g),g(f),g(i)),u||g(t.__e)', '"function"!=typeof t.type||u);u||g(t.__e)'],
  ["n.__&&n.__(t,r),9==r.nodeType&&(r=r.documentElement),i=(u=t&&32&t.__u)?null:r.__k,", "i=r.__k,"],
  ["z(r,r.__k,i||p,p,r.namespaceURI,i?null:r.firstChild?d.call(r.childNodes):null,f,i?i.__e:r.firstChild,u,o)", "z(r,r.__k,i||p,p,r.namespaceURI,null,f,i&&i.__e,u,o)"],
  ["32&u.__u?[i]:null,f,i||S(u),32&u.__u,o)", "null,f,i||S(u),0,o)"],
];

/** Of the hooks: what they tell developers' tools, ids, and other listeners, of which there are none. */
export const HOOKS: [string, string][] = [
  ["a.__h&&a.__h(r,n,f||t),f=0;", ""],
  ["return f=1,_(G,n)", "return _(G,n)"],
  ["return f=5,w(", "return w("],
  ["var c=r.shouldComponentUpdate;", ""],
  ["),c){var e=c.call(this,n,t,r);return i?e||f:e}", "),0){}"],
  ["!a.__s&&E(i.__H,u)&&(i.__P=!0", "E(i.__H,u)&&(i.__P=!0"],
  ["!a.__s&&E(i.__H,u)&&(i.__P=!1", "E(i.__H,u)&&(i.__P=!1"],
  ["r=null,v&&v(n)", "r=null"],
  ["a.__=function(n,t){n&&t.__k&&t.__k.__m&&(n.__m=t.__k.__m),p&&p(n,t)},", ""],
  ["l&&l(n),t=0", "t=0"],
  ["m&&m(n);var t=n.__c", "var t=n.__c"],
  [",h&&h(n,t)}", "}"],
  ["s&&s(n);var t,r,u=n.__c", "var t,r,u=n.__c"],
  ["v=a.__b,l=a.__r,m=a.diffed,h=a.__c,s=a.unmount,p=a.__;", "v;"],
  ["1!=n&&i==a.requestAnimationFrame||((i=a.requestAnimationFrame)||z)(g)", "1!=n||z(g)"],
];
